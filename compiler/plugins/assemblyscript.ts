/**
 * `mvvmc/assemblyscript`: the build step for AssemblyScript, as a transform of asc.
 *
 *     asc assembly/index.ts -o build/x.mvvm.wasm --optimize --transform mvvmc/assemblyscript
 *
 * asc calls its transforms before it optimises, and ours has to come after. So the transform lets asc go on, and compiles
 * what asc is about to write. Text output (`--textFile`) is the module as it was, and there is no source map, which
 * would be one of another module.
 */

import { compileStep } from './cache.js';
import type { StepOptions } from './options.js';

export type { StepOptions } from './options.js';

interface WithSourceMap {
  readonly binary: Uint8Array;
  readonly sourceMap: string | null;
}

/** The module that asc is making, as far as it is needed here. */
export interface AscModule {
  /** Undefined: asc only wants to know the size. */
  emitBinary(sourceMapUrl?: string | null): Uint8Array | WithSourceMap;
}

/** A transform as asc takes it. */
export interface AscTransform {
  afterCompile(module: AscModule): void;
}

/**
 * @example
 * // mvvm.js, for asc --transform ./mvvm.js
 * import { mvvmTransform } from 'mvvmc/assemblyscript';
 * export default mvvmTransform({ policies: ['loop-checkpoint'] });
 */
export function mvvmTransform(options: StepOptions = {}): AscTransform {
  return {
    afterCompile(module) {
      const emit = module.emitBinary.bind(module);
      module.emitBinary = (sourceMapUrl) => {
        const emitted = emit(sourceMapUrl);
        return 'binary' in emitted ? { binary: compileOutput(emitted.binary, options), sourceMap: '' } : emitted;
      };
    },
  };
}

function compileOutput(binary: Uint8Array, options: StepOptions): Uint8Array {
  const { wasm, warnings } = compileStep(binary, options, 'assemblyscript.wasm');
  for (const warning of warnings) process.stderr.write(`mvvmc: ${warning}\n`);
  return wasm;
}

const transform: AscTransform = mvvmTransform();
export default transform;
