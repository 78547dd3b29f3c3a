/**
 * Loops that come to an end by themselves, soon enough to need no counted point: short loops (short-loops.ts), and scans of
 * memory (scans.ts) that are not short. What takes long all the same is counted as a whole (lowering/charge-loops.ts).
 */

import type { Expr } from './binaryen.js';
import { exitsOf, isSeparable } from './exits.js';
import { childrenOf, labelOf } from './expressions.js';
import { readCountedLoop } from './loop-counter.js';
import { usesGate } from './marks.js';
import type { FunctionInfo, IrModule } from './module.js';
import { findScans, type Scan } from './scans.js';
import { findShortLoops, type ShortLoop, uncountedIterations } from './short-loops.js';

/** So many ways lead out of a scan that is counted afterwards, behind its end and elsewhere. */
const MOST_EXITS = 4;

/** To evaluate so many expressions counts as one: 2^16 times as long is what one may wait for a point. */
const WORK_OF_A_COUNT = 256;
/** What counts less than this is not worth the code that counts it. */
const LEAST_COUNT = 2;

/** @returns none where the gate opens so often that points are to be exact */
export function findUncountedLoops(module: IrModule, fn: FunctionInfo, thresholdBits: number): ReadonlySet<Expr> {
  const { scans, short } = sortLoops(module, fn, thresholdBits);
  return new Set([...short.keys(), ...scans.keys()]);
}

/** Uncounted loops that are to be counted as a whole. */
export interface ChargedLoops {
  /** By their iterations, when they have ended. */
  readonly scans: ReadonlyMap<Expr, Scan>;
  /** The outermost short loops that take long: as how many they count. */
  readonly short: ReadonlyMap<Expr, number>;
}

export function findChargedLoops(module: IrModule, fn: FunctionInfo, thresholdBits: number): ChargedLoops {
  const { scans, short } = sortLoops(module, fn, thresholdBits);
  const counts = [...short].map(([loop, { work }]): [Expr, number] => [loop, Math.floor(work / WORK_OF_A_COUNT)]);
  return { scans, short: new Map(counts.filter(([, count]) => count >= LEAST_COUNT)) };
}

/**
 * The scans that are not short and can be counted afterwards; those that only their test leaves are not among them, for they
 * run in strips (lowering/counted-loop.ts). And the short loops, with what they evaluate (short-loops.ts).
 */
function sortLoops(
  module: IrModule,
  fn: FunctionInfo,
  thresholdBits: number,
): { scans: ReadonlyMap<Expr, Scan>; short: ReadonlyMap<Expr, ShortLoop> } {
  const most = uncountedIterations(thresholdBits);
  if (most === 0) return { scans: new Map(), short: new Map() };
  const all = [...findScans(module.body(fn))];
  const counted = new Map(all.filter(([loop]) => isCounted(loop, module)));
  const plain = all.filter(([loop]) => !counted.has(loop) && hasPlainExits(loop));
  // Most functions have none: looking for marks takes longer than that.
  const chargeable = new Map(plain.length > 0 && allPointsAreCounted(module) ? plain : []);
  const short = findShortLoops(module, fn, most, counted, chargeable);
  return { scans: new Map([...chargeable].filter(([loop]) => !short.has(loop))), short };
}

/** Other points, which may close the cycles around a scan, do not notice what that takes from the counter. */
function allPointsAreCounted(module: IrModule): boolean {
  return !usesGate(module, 'budget') && !usesGate(module, 'dirty');
}

/** Whether a loop is left by its test alone, and its number of iterations known when it is entered. */
export function isCounted(loop: Expr, { usesExceptions }: IrModule): boolean {
  return readCountedLoop(labelOf(loop) ?? '', childrenOf(loop), usesExceptions) !== undefined;
}

/** Whether the loop is left in a few places, where code can be put. */
function hasPlainExits(loop: Expr): boolean {
  const exits = exitsOf(loop);
  const count = exits.reduce((sum, { targets }) => sum + Math.max(targets.length, 1), 0);
  return count <= MOST_EXITS && exits.every(isSeparable);
}
