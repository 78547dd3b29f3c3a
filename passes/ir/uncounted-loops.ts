/**
 * Loops that come to an end by themselves, soon enough to need no counted point: short loops (short-loops.ts), and scans of
 * memory (scans.ts), which are counted afterwards (lowering/charge-scans.ts).
 */

import type { Expr } from './binaryen.js';
import { usesGate } from './marks.js';
import type { FunctionInfo, IrModule } from './module.js';
import { findScans, type Scan } from './scans.js';
import { findShortLoops, uncountedIterations } from './short-loops.js';

/** @returns none where the gate opens so often that points are to be exact */
export function findUncountedLoops(module: IrModule, fn: FunctionInfo, thresholdBits: number): ReadonlySet<Expr> {
  if (uncountedIterations(thresholdBits) === 0) return new Set();
  const scans = findUncountedScans(module, fn);
  return new Set([...scans.keys(), ...findShortLoops(module, fn, thresholdBits, scans)]);
}

/**
 * The scans of a function that need no counted point: none where other points than counted ones may close the cycles around
 * them, for these do not notice what a scan takes from the counter.
 */
export function findUncountedScans(module: IrModule, fn: FunctionInfo): ReadonlyMap<Expr, Scan> {
  const scans = findScans(module.body(fn));
  // Most functions have none: looking for marks takes longer than that.
  return scans.size > 0 && (usesGate(module, 'budget') || usesGate(module, 'dirty')) ? new Map() : scans;
}
