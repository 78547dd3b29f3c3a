/** What a caller can ask of the compiler, and what it gets when it does not ask. */

import * as z from 'zod';
import { CompileError, type Profile } from '../passes/index.js';
import { type Policy, policies } from '../runtime/abi/index.js';
import { invalidOptions } from './diagnostics.js';
import { profileSchema } from './profile.js';

export type Level = 0 | 1 | 2 | 3;

export interface CompileOptions {
  /** Which stable points there are. Several combine. Default: counter-loop-checkpoint. */
  readonly policies?: readonly Policy[];
  /** Counted points fire once per `2 ** thresholdBits` iterations; 0 to 30, default 16. */
  readonly thresholdBits?: number;
  /** How hard to optimise for speed, as in `wasm-opt -O0` to `-O3`; default 3. */
  readonly optLevel?: Level;
  /** How much to prefer small code: 0 as in `-O3`, 1 as in `-Os`, 2 and 3 as in `-Oz`; default 0. */
  readonly sizeLevel?: Level;
  /**
   * How much code may be doubled, the busiest first, so that it has no way back in it: a percentage of the module's code.
   * Above 100: all that can be, busy or not. Default 40, and 0 where small code is preferred or little optimised.
   */
  readonly twinBudget?: number;
  /** Optimise with this wasm-opt; `true` looks on the PATH, then for the npm package `wasm-opt`. Default: Binaryen's own. */
  readonly wasmOpt?: string | true;
  /** Leaves out stable points that the profile shows to be too hot. */
  readonly profile?: Profile;
  /** Whether the result has the compiled module as text too; default false. */
  readonly text?: boolean;
  /** Validate the module after every pass, to find the one that breaks it; default false. */
  readonly verifyEach?: boolean;
}

export interface Settings {
  readonly policies: readonly Policy[];
  readonly thresholdBits: number;
  readonly optLevel: Level;
  readonly sizeLevel: Level;
  /** A part of 1. */
  readonly twinBudget: number;
  readonly wasmOpt?: string | true;
  readonly profile?: Profile;
  readonly text: boolean;
  readonly verifyEach: boolean;
}

/** Percent of the code, at levels where speed is wanted and size does not matter. */
export const defaultTwinBudget = 40;

export const defaults: Omit<Settings, 'twinBudget'> = {
  policies: ['counter-loop-checkpoint'],
  thresholdBits: 16,
  optLevel: 3,
  sizeLevel: 0,
  text: false,
  verifyEach: false,
};

export const maxThresholdBits = 30;

const level = z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)], 'must be 0, 1, 2 or 3');

const bits = `must be a whole number from 0 to ${maxThresholdBits}`;

const schema = z.strictObject({
  policies: z.array(z.enum(policies, `must be among ${policies.join(', ')}`)).optional(),
  thresholdBits: z.number(bits).int(bits).min(0, bits).max(maxThresholdBits, bits).optional(),
  optLevel: level.optional(),
  sizeLevel: level.optional(),
  twinBudget: z.number('must be a percentage, 0 or more').min(0, 'must be a percentage, 0 or more').optional(),
  wasmOpt: z.union([z.string().min(1), z.literal(true)], 'must be the path of a wasm-opt, or true').optional(),
  profile: profileSchema.optional(),
  text: z.boolean('must be true or false').optional(),
  verifyEach: z.boolean('must be true or false').optional(),
});

/**
 * Checks options and fills in what is missing. Policies come out in one order whatever order they went in, without
 * repetition, because the numbers of stable points depend on them.
 * @throws {CompileError} `options/invalid`
 */
export function resolveOptions(options: CompileOptions): Settings {
  const result = schema.safeParse(options);
  if (!result.success) throw new CompileError(invalidOptions(result.error.issues.map(reasonOf)));
  const { wasmOpt, profile } = options;
  const asked = options.policies ?? [];
  const optLevel = options.optLevel ?? defaults.optLevel;
  const sizeLevel = options.sizeLevel ?? defaults.sizeLevel;
  const twinBudget = options.twinBudget ?? (optLevel > 1 && sizeLevel === 0 ? defaultTwinBudget : 0);
  return {
    policies: asked.length === 0 ? defaults.policies : policies.filter((policy) => asked.includes(policy)),
    thresholdBits: options.thresholdBits ?? defaults.thresholdBits,
    optLevel,
    sizeLevel,
    twinBudget: twinBudget / 100,
    text: options.text ?? defaults.text,
    verifyEach: options.verifyEach ?? defaults.verifyEach,
    ...(wasmOpt === undefined ? {} : { wasmOpt }),
    ...(profile === undefined ? {} : { profile }),
  };
}

function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') return `unknown option ${issue.keys.join(', ')}`;
  return `${issue.path.join('.')} ${issue.message}`;
}
