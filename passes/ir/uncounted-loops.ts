/**
 * Loops that come to an end by themselves, soon enough to need no counted point: short loops (short-loops.ts), and scans of
 * memory (scans.ts), which are counted afterwards (lowering/charge-scans.ts).
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

/** @returns none where the gate opens so often that points are to be exact */
export function findUncountedLoops(module: IrModule, fn: FunctionInfo, thresholdBits: number): ReadonlySet<Expr> {
  const { short, scans } = readUncountedLoops(module, fn, thresholdBits);
  return new Set([...short, ...scans.keys()]);
}

/** Of these, the scans that are to be counted afterwards. */
export function findUncountedScans(module: IrModule, fn: FunctionInfo, thresholdBits: number): ReadonlyMap<Expr, Scan> {
  return readUncountedLoops(module, fn, thresholdBits).scans;
}

function readUncountedLoops(
  module: IrModule,
  fn: FunctionInfo,
  thresholdBits: number,
): { readonly short: ReadonlySet<Expr>; readonly scans: ReadonlyMap<Expr, Scan> } {
  if (uncountedIterations(thresholdBits) === 0) return { short: new Set(), scans: new Map() };
  const scans = findScans(module.body(fn));
  const chargeable = findChargeable(module, scans);
  const short = findShortLoops(module, fn, thresholdBits, scans, chargeable);
  return { short, scans: new Map([...chargeable].filter(([loop]) => !short.has(loop))) };
}

/**
 * The scans that need no counted point, since they can be counted afterwards: not those that run in strips, and none where
 * other points than counted ones may close the cycles around them, for these do not notice what a scan takes from the counter.
 */
function findChargeable(module: IrModule, scans: ReadonlyMap<Expr, Scan>): ReadonlyMap<Expr, Scan> {
  const chargeable = new Map([...scans].filter(([loop]) => hasPlainExits(loop) && !isCounted(loop)));
  // Most functions have none: looking for marks takes longer than that.
  return chargeable.size > 0 && (usesGate(module, 'budget') || usesGate(module, 'dirty')) ? new Map() : chargeable;
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
