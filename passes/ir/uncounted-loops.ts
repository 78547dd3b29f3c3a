/**
 * Loops that come to an end by themselves, soon enough to need no counted point: short loops (short-loops.ts), and scans of
 * memory (scans.ts) that are not short, which are counted afterwards (lowering/charge-scans.ts).
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
  const [counted, chargeable] = sortScans(module, fn, thresholdBits);
  return new Set([...findShortLoops(module, fn, thresholdBits, counted, chargeable), ...chargeable.keys()]);
}

/** Of these, the scans that are to be counted afterwards. */
export function findUncountedScans(module: IrModule, fn: FunctionInfo, thresholdBits: number): ReadonlyMap<Expr, Scan> {
  const [counted, chargeable] = sortScans(module, fn, thresholdBits);
  if (chargeable.size === 0) return chargeable;
  const short = findShortLoops(module, fn, thresholdBits, counted, chargeable);
  return new Map([...chargeable].filter(([loop]) => !short.has(loop)));
}

/**
 * @returns the scans that only their test leaves, which run in strips (lowering/counted-loop.ts) if they are not short; and the
 * others that need no point since they can be counted afterwards: none where other points than counted ones may close the
 * cycles around them, for these do not notice what a scan takes from the counter.
 */
function sortScans(
  module: IrModule,
  fn: FunctionInfo,
  thresholdBits: number,
): [ReadonlyMap<Expr, Scan>, ReadonlyMap<Expr, Scan>] {
  if (uncountedIterations(thresholdBits) === 0) return [new Map(), new Map()];
  const scans = [...findScans(module.body(fn))];
  const counted = new Map(scans.filter(([loop]) => isCounted(loop)));
  const chargeable = new Map(scans.filter(([loop]) => !counted.has(loop) && hasPlainExits(loop)));
  // Most functions have none: looking for marks takes longer than that.
  const isCharged = chargeable.size > 0 && !usesGate(module, 'budget') && !usesGate(module, 'dirty');
  return [counted, isCharged ? chargeable : new Map()];
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
