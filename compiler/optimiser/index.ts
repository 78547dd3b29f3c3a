/**
 * The optimiser that a module goes through before it is instrumented: the one in Binaryen, or the user's wasm-opt.
 * Order matters: what is optimised afterwards has stable points in its way, and fewer, coalesced locals mean fewer
 * slots to save.
 */

import { IrModule } from '../../passes/index.js';
import type { Settings } from '../options.js';
import type { Stages } from '../stages.js';
import { binaryenVersion } from '../versions.js';
import { isOff, levelsOf } from './levels.js';
import { type FunctionIndices, readOriginal } from './original-indices.js';
import { findWasmOpt, runWasmOpt } from './wasm-opt.js';

export interface Optimiser {
  /** "binaryen", or the path of a wasm-opt. */
  readonly name: string;
  readonly version: string;
  /** Reads and optimises; the caller disposes of the module. */
  load(bytes: Uint8Array, stages: Stages): Loaded;
}

export interface Loaded {
  readonly module: IrModule;
  /** Set when the functions of `module` do not know their index in the original module. */
  readonly originalIndices?: FunctionIndices;
}

/** @throws {CompileError} when the wasm-opt asked for is not there or does not work */
export function chooseOptimiser(settings: Settings): Optimiser {
  return settings.wasmOpt === undefined ? bundled(settings) : external(settings, settings.wasmOpt);
}

function bundled(settings: Settings): Optimiser {
  const levels = levelsOf(settings);
  return {
    name: 'binaryen',
    version: binaryenVersion,
    load(bytes, stages) {
      const module = stages.time('read', () => IrModule.read(bytes));
      if (isOff(levels)) return { module };
      try {
        stages.timeOn(module, 'optimise', () => module.optimise(levels));
        return { module };
      } catch (error) {
        module.dispose();
        throw error;
      }
    },
  };
}

function external(settings: Settings, choice: string | true): Optimiser {
  const levels = levelsOf(settings);
  const tool = findWasmOpt(choice);
  return {
    name: tool.path,
    version: tool.version,
    load(bytes, stages) {
      if (isOff(levels)) return { module: stages.time('read', () => IrModule.read(bytes)) };
      const { optimised, indices } = stages.time('optimise', () => {
        const { indices, unsoundPasses } = readOriginal(bytes);
        return { optimised: runWasmOpt(tool, bytes, levels, unsoundPasses), indices };
      });
      return { module: stages.time('read', () => IrModule.read(optimised)), originalIndices: indices };
    },
  };
}
