/** What a compile did, in numbers: where the stable points are, what the module weighed and weighs, what took how long. */

import { createHash } from 'node:crypto';
import { type ModuleInfo, type PointKind, type Policy, pointKinds, type StableMap } from '../runtime/abi/index.js';
import type { Optimiser } from './optimiser/index.js';
import type { Timing } from './stages.js';

export type PointCounts = Readonly<Record<PointKind, number>>;

export interface FunctionReport {
  readonly name: string;
  /** Index in the original module (imports first), or -1 when an optimisation made the function. */
  readonly originalIndex: number;
  readonly points: PointCounts;
  /** Values that a frame of this function has room for. */
  readonly slots: number;
}

export interface ModuleSize {
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly sha256: string;
}

export interface Report {
  /** Version of the compiler. */
  readonly compiler: string;
  readonly optimiser: { readonly name: string; readonly version: string };
  readonly before: ModuleSize;
  readonly after: ModuleSize;
  readonly thresholdBits: number;
  /**
   * The policies in force, each with the number of points of the kind it places. Policies that share a kind (the loop
   * policies all place loop points) share the points too: each of them is counted for every such policy.
   */
  readonly policies: readonly { readonly name: Policy; readonly kind: PointKind; readonly points: number }[];
  readonly points: PointCounts & { readonly total: number };
  /** Functions with stable points, in the order of their numbers. The others are as the optimiser left them. */
  readonly functions: readonly FunctionReport[];
  readonly passes: readonly Timing[];
  readonly milliseconds: number;
}

const kindOf: Readonly<Record<Policy, PointKind>> = {
  'function-checkpoint': 'entry',
  'loop-checkpoint': 'loop',
  'counter-loop-checkpoint': 'loop',
  'loop-dirty-checkpoint': 'loop',
  'br-checkpoint': 'branch',
  'every-checkpoint': 'instruction',
};

export interface ReportFacts {
  readonly info: ModuleInfo;
  readonly map: StableMap;
  readonly optimiser: Optimiser;
  readonly originalBytes: number;
  readonly wasm: Uint8Array;
  readonly passes: readonly Timing[];
  readonly milliseconds: number;
}

export function makeReport(facts: ReportFacts): Report {
  const { info, map, optimiser } = facts;
  const functions = map.functions.map((fn) => ({
    name: fn.name,
    originalIndex: fn.originalIndex,
    points: countByKind(fn.points),
    slots: fn.slots.length,
  }));
  const all = countByKind(map.functions.flatMap((fn) => fn.points));
  const total = pointKinds.reduce((sum, kind) => sum + all[kind], 0);
  return {
    compiler: info.compiler,
    optimiser: { name: optimiser.name, version: optimiser.version },
    before: { bytes: facts.originalBytes, sha256: info.original },
    after: { bytes: facts.wasm.length, sha256: sha256(facts.wasm) },
    thresholdBits: info.thresholdBits,
    policies: info.policies.map((name) => ({ name, kind: kindOf[name], points: all[kindOf[name]] })),
    points: { total, ...all },
    functions,
    passes: facts.passes,
    milliseconds: facts.milliseconds,
  };
}

/** Lower-case hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function countByKind(points: readonly { readonly kind: PointKind }[]): PointCounts {
  const counts: Record<PointKind, number> = { entry: 0, loop: 0, call: 0, host: 0, branch: 0, instruction: 0 };
  for (const { kind } of points) counts[kind] += 1;
  return counts;
}
