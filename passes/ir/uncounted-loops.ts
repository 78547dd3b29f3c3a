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
import { findShortLoops, uncountedIterations } from './short-loops.js';

/** So many ways lead out of a scan that is counted afterwards, behind its end and elsewhere. */
const MOST_EXITS = 4;

/** Short loops that evaluate fewer expressions take no longer than what points in other loops count as one. */
const LEAST_WORK = 512;

/** @returns none where the gate opens so often that points are to be exact */
export function findUncountedLoops(module: IrModule, fn: FunctionInfo, thresholdBits: number): ReadonlySet<Expr> {
  const { scans, short } = sortLoops(module, fn, thresholdBits);
  return new Set([...short.keys(), ...scans.keys()]);
}

/** Uncounted loops. */
export interface UncountedLoops {
  /** Not short. */
  readonly scans: ReadonlyMap<Expr, Scan>;
  /** With the expressions that they evaluate at most, see `findShortLoops`. */
  readonly short: ReadonlyMap<Expr, number>;
}

/** Of these, the loops that are to be counted as a whole, where that is possible (`canCharge`): scans, and short loops that take long. */
export function findChargedLoops(module: IrModule, fn: FunctionInfo, thresholdBits: number): UncountedLoops {
  const { scans, short } = sortLoops(module, fn, thresholdBits);
  return { scans, short: new Map([...short].filter(([, work]) => work >= LEAST_WORK)) };
}

/** Not where other points than counted ones may close the cycles around a loop: these do not notice what it takes from the counter. */
export function canCharge(module: IrModule): boolean {
  return !usesGate(module, 'budget') && !usesGate(module, 'dirty');
}

/**
 * Scans that only their test leaves run in strips (lowering/counted-loop.ts) if they are not short; others need no point if
 * they can be counted afterwards.
 */
function sortLoops(module: IrModule, fn: FunctionInfo, thresholdBits: number): UncountedLoops {
  if (uncountedIterations(thresholdBits) === 0) return { scans: new Map(), short: new Map() };
  const all = [...findScans(module.body(fn))];
  const counted = new Map(all.filter(([loop]) => isCounted(loop)));
  const plain = all.filter(([loop]) => !counted.has(loop) && hasPlainExits(loop));
  // Most functions have none: looking for marks takes longer than that.
  const chargeable = new Map(plain.length > 0 && canCharge(module) ? plain : []);
  const short = findShortLoops(module, fn, thresholdBits, counted, chargeable);
  return { scans: new Map([...chargeable].filter(([loop]) => !short.has(loop))), short };
}

function isCounted(loop: Expr): boolean {
  return readCountedLoop(labelOf(loop) ?? '', childrenOf(loop)) !== undefined;
}

/** Whether the loop is left in a few places, where code can be put. */
function hasPlainExits(loop: Expr): boolean {
  const exits = exitsOf(loop);
  const count = exits.reduce((sum, { targets }) => sum + Math.max(targets.length, 1), 0);
  return count <= MOST_EXITS && exits.every(isSeparable);
}
