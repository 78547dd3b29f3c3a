/**
 * Cleans up what instrumenting leaves: labels that nobody branches to, branches to what comes next, locals that others
 * could stand for. Only in functions that it has changed or added, the others are as the optimiser left them; and with
 * light passes, for inlining here could merge what instrumenting has kept apart.
 *
 * Three of the passes take time that grows with the square of a function. In a program of thousands of functions the few
 * largest would take nearly all of it, so these are cleaned up without.
 */

import { type FunctionInfo, hasAtMost, type IrModule } from '../passes/index.js';

/** Linear in the size of a function, or nearly. */
const quickPasses = [
  'remove-unused-names',
  'remove-unused-brs',
  'optimize-instructions',
  'vacuum',
  'reorder-locals',
] as const;

/** Beside the above what takes long, and in an order in which each finds most to do. */
const thoroughPasses = [
  'remove-unused-names',
  'remove-unused-brs',
  'optimize-instructions',
  'coalesce-locals',
  'simplify-locals',
  'vacuum',
  'reorder-locals',
  'merge-blocks',
  'remove-unused-brs',
  'remove-unused-names',
  'optimize-instructions',
  'vacuum',
] as const;

/** Locals times expressions. Interpreters' main loops and parsers' tables are above it, and hardly anything else. */
const thoroughLimit = 1_000_000;

/** @param changed the functions to clean up */
export function cleanUp(module: IrModule, changed: readonly FunctionInfo[]): void {
  module.setLevels({ optimizeLevel: 1, shrinkLevel: 0 });
  for (const fn of changed) module.runPassesOn(fn, isLarge(module, fn) ? quickPasses : thoroughPasses);
  module.runPasses(['remove-unused-module-elements']);
}

function isLarge(module: IrModule, fn: FunctionInfo): boolean {
  return !hasAtMost(thoroughLimit / Math.max(module.localTypes(fn).length, 1), [module.body(fn)]);
}
