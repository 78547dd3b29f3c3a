/**
 * Function indices across an optimiser that runs outside: what it writes is read as if it were the original, with
 * functions removed and moved. Names are kept, also the ones that are made of an index for want of another.
 */

import { IrModule } from '../../passes/index.js';
import type { StableMap } from '../../runtime/abi/index.js';

/** The index of each function in a module, by the name that Binaryen gives it. */
export type FunctionIndices = ReadonlyMap<string, number>;

/** What is to be known of a module before another tool optimises it. */
export interface Original {
  readonly indices: FunctionIndices;
  /** Passes of Binaryen's that would break it. */
  readonly unsoundPasses: readonly string[];
}

/** @throws {CompileError} `module/malformed` */
export function readOriginal(bytes: Uint8Array): Original {
  const module = IrModule.read(bytes);
  try {
    const indices = new Map(module.functions().map((fn) => [fn.name, fn.originalIndex]));
    return { indices, unsoundPasses: module.elements.unsoundPasses };
  } finally {
    module.dispose();
  }
}

/** The map with indices of the original module; -1 for functions that it does not have. */
export function correctIndices(map: StableMap, original: FunctionIndices): StableMap {
  const functions = map.functions.map((fn) => ({ ...fn, originalIndex: original.get(fn.name) ?? -1 }));
  return { ...map, functions };
}
