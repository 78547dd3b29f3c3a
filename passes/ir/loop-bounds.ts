/** How many iterations loops have, where that is few, whether or not they have points: see short-loops.ts. */

import type { Expr } from './binaryen.js';
import { readMark } from './marks.js';
import type { FunctionInfo, IrModule } from './module.js';
import { findScans } from './scans.js';
import { findShortLoops } from './short-loops.js';
import { isCounted } from './uncounted-loops.js';

/**
 * The loops that have up to `most` iterations when they are left: one that goes on for longer traps. Loops that call
 * functions of the module are not among them.
 * @returns how many, by loop
 */
export function boundIterations(module: IrModule, fn: FunctionInfo, most: number): ReadonlyMap<Expr, number> {
  const scans = [...findScans(module.body(fn), (call) => readMark(call) !== undefined)];
  const counted = new Map(scans.filter(([loop]) => isCounted(loop, module)));
  const short = findShortLoops(module, fn, most, counted, new Map());
  return new Map([...short].map(([loop, { iterations }]) => [loop, iterations]));
}
