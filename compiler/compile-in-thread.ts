/**
 * Compiles in a thread of its own, whose stack holds functions that are nested too deeply for Node's usual one: generated
 * code with thousands of blocks in each other, or functions with thousands of stable points.
 */

import { Worker } from 'node:worker_threads';
import { CompileError, type Diagnostic } from '../passes/index.js';
import type { CompileResult } from './compile.js';
import type { CompileOptions } from './options.js';

/** What the thread is started with. */
export interface ThreadTask {
  readonly bytes: Uint8Array;
  readonly options: CompileOptions;
  /** After which passes to send the module as text. */
  readonly dumpAfter: readonly string[];
}

/** What the thread sends. */
export type ThreadMessage =
  | { readonly kind: 'pass'; readonly pass: string; readonly text: string }
  | { readonly kind: 'result'; readonly result: CompileResult }
  | { readonly kind: 'refused'; readonly diagnostic: Diagnostic };

/** Of the thread; memory that is not touched is not taken. */
const STACK_MB = 900;

/** Whether compiling has used up the stack. The compiler of this thread is of no use from then on. */
export function isOutOfStack(error: unknown): boolean {
  return error instanceof RangeError && error.message.includes('call stack');
}

/**
 * As `compile`.
 * @param onDump told of the module after each of the passes in `dumpAfter`
 * @throws {CompileError}
 */
export function compileInThread(
  bytes: Uint8Array,
  options: CompileOptions = {},
  dumpAfter: readonly string[] = [],
  onDump: (pass: string, text: string) => void = () => undefined,
): Promise<CompileResult> {
  const workerData: ThreadTask = { bytes, options, dumpAfter };
  const thread = new Worker(new URL('./compile-thread.js', import.meta.url), {
    workerData,
    resourceLimits: { stackSizeMb: STACK_MB },
  });
  return new Promise((resolve, reject) => {
    thread.once('error', reject);
    thread.on('message', (message: ThreadMessage) => {
      if (message.kind === 'pass') onDump(message.pass, message.text);
      if (message.kind === 'result') resolve(message.result);
      if (message.kind === 'refused') reject(new CompileError(message.diagnostic));
    });
  });
}
