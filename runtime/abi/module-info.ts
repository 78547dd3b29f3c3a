/**
 * Where a compiled module comes from: custom section `mvvm.info`, a JSON object. A snapshot names the module that made
 * it, and these facts say which module that was.
 */

import * as z from 'zod';
import { decodeUtf8, encodeUtf8, MalformedBytes } from './bytes.js';
import { ABI_VERSION } from './names.js';

/** The names of the passes that place stable points, which are also the names of the policies. */
export const policies = [
  'function-checkpoint',
  'loop-checkpoint',
  'counter-loop-checkpoint',
  'loop-dirty-checkpoint',
  'br-checkpoint',
  'every-checkpoint',
] as const;
export type Policy = (typeof policies)[number];

export interface ModuleInfo {
  readonly abi: number;
  /** Version of the compiler, as in its package. */
  readonly compiler: string;
  /** SHA-256 of the original module, lower-case hexadecimal. */
  readonly original: string;
  readonly policies: readonly Policy[];
  /** Counted points fire once per `2 ** thresholdBits` iterations. */
  readonly thresholdBits: number;
}

const schema: z.ZodType<ModuleInfo> = z.strictObject({
  abi: z.number().int().nonnegative(),
  compiler: z.string(),
  original: z.string().regex(/^[0-9a-f]{64}$/),
  policies: z.array(z.enum(policies)).min(1),
  thresholdBits: z.number().int().min(0).max(30),
});

export function writeModuleInfo(info: ModuleInfo): Uint8Array {
  return encodeUtf8(JSON.stringify(info));
}

/**
 * @throws {MalformedBytes} when the section is damaged or was written for another ABI version
 */
export function readModuleInfo(bytes: Uint8Array): ModuleInfo {
  let value: unknown;
  try {
    value = JSON.parse(decodeUtf8(bytes));
  } catch {
    throw new MalformedBytes('is not JSON');
  }
  const abi = z.object({ abi: z.number() }).safeParse(value);
  if (abi.success && abi.data.abi !== ABI_VERSION) {
    throw new MalformedBytes(`was written for ABI version ${abi.data.abi}, this runtime has version ${ABI_VERSION}`);
  }
  const info = schema.safeParse(value);
  if (!info.success) throw new MalformedBytes(z.prettifyError(info.error));
  return info.data;
}
