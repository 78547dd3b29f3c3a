/** Which pages of its memory a stopped guest can have changed: what a delta has to look at. */

import { exports as abiExports } from '../abi/index.js';
import { dirtyPages, PAGE_BYTES, type PageRun } from '../snapshot/index.js';
import { functionExport } from './entry.js';
import type { Program } from './program.js';
import type { System } from './system.js';
import type { WordStream } from './word-stream.js';

/** Whether the module's dirty bits, and what the system says, are all that can change a guest's memory. */
export function tellsDirt({ info, map }: Program, imports: WebAssembly.Imports): boolean {
  const isAlone = Object.keys(imports).length === 0 && map.memories.length < 2;
  return isAlone && info.policies.includes('loop-dirty-checkpoint');
}

/**
 * Takes the dirty bits out of a module that {@link tellsDirt}.
 * @param written what the system wrote; undefined where it does not know
 * @param stream is empty, and is left so
 */
export function takeSuspectPages(
  exports: WebAssembly.Exports,
  memory: WebAssembly.Memory | undefined,
  written: ReturnType<NonNullable<System['takeWrittenPages']>> | undefined,
  stream: WordStream,
): readonly (readonly PageRun[])[] | undefined {
  functionExport(exports, abiExports.takeDirty)();
  const [shift, low, high] = [stream.pop(), stream.pop(), stream.pop()];
  if (written === undefined || memory === undefined) return undefined;
  const bits = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
  return [[...dirtyPages(shift, bits, memory.buffer.byteLength / PAGE_BYTES), ...written]];
}
