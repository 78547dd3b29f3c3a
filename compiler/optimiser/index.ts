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
import { findWasmOpt, runWasmOpt } from './wasm-opt.js';

export interface Optimiser {
  /** "binaryen", or the path of a wasm-opt. */
  readonly name: string;
  readonly version: string;
  /** The module, read and optimised; the caller disposes of it. */
  load(bytes: Uint8Array, stages: Stages): IrModule;
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
      if (isOff(levels)) return module;
      try {
        stages.timeOn(module, 'optimise', () => module.optimise(levels));
        return module;
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
      const optimised = isOff(levels) ? bytes : stages.time('optimise', () => runWasmOpt(tool, bytes, levels));
      return stages.time('read', () => IrModule.read(optimised));
    },
  };
}
