/** Optimisation levels as Binaryen has them. */

import type { Settings } from '../options.js';

export interface Levels {
  readonly optimizeLevel: 0 | 1 | 2 | 3;
  readonly shrinkLevel: 0 | 1 | 2;
}

/** Nobody's size level is above 2, though 3 is accepted as in other compilers. */
export function levelsOf({ optLevel, sizeLevel }: Pick<Settings, 'optLevel' | 'sizeLevel'>): Levels {
  return { optimizeLevel: optLevel, shrinkLevel: sizeLevel === 3 ? 2 : sizeLevel };
}

/** Whether there is nothing to do, as for `wasm-opt -O0`. */
export function isOff(levels: Levels): boolean {
  return levels.optimizeLevel === 0 && levels.shrinkLevel === 0;
}
