/** Whether a snapshot belongs to a module: all that can be known before an instance exists. */

import { exports as abiExports, type ModuleInfo, type StableMap } from '../abi/index.js';
import { badFrames, badState, otherModule, SnapshotError } from './errors.js';
import type { Snapshot, SnapshotModule } from './snapshot.js';
import { type DecodedStack, validateFrames } from './validate-frames.js';

/** The compiled module at hand. */
export interface ModuleAtHand {
  /** SHA-256 of its bytes, lower-case hexadecimal. */
  readonly hash: string;
  readonly info: ModuleInfo;
  readonly map: StableMap;
}

/** What a snapshot and its header have in common. */
interface Outline {
  readonly module: SnapshotModule;
  readonly memories: readonly unknown[];
  readonly tables: readonly unknown[];
}

/**
 * Checks what the header alone tells: an option `accept` of `decodeSnapshot`.
 * @throws {SnapshotError} `snapshot/other-module`, `snapshot/state`
 */
export function validateHeader(header: Outline, module: ModuleAtHand): void {
  checkModule(header.module, module);
  checkCount('memories', header.memories.length, module.map.memories.length);
  checkCount('tables', header.tables.length, module.map.tables.length);
}

/**
 * Checks module, entry, tables, memories, the module's own state and every frame.
 * @returns the stream decoded
 * @throws {SnapshotError} `snapshot/other-module`, `snapshot/state`, `snapshot/frames`
 */
export function validateSnapshot(snapshot: Snapshot, module: ModuleAtHand): DecodedStack {
  validateHeader(snapshot, module);
  const { map } = module;
  snapshot.tables.forEach((elements, table) => {
    const wrong = elements.findIndex((element) => element >= map.referableFunctions);
    if (wrong < 0) return;
    throw new SnapshotError(
      badState(`element ${wrong} of table ${table} is function ${elements[wrong]}, which is none`),
    );
  });
  for (const name of snapshot.following) {
    if (name !== abiExports.start && !map.exports.some((known) => known.name === name)) {
      throw new SnapshotError(badState(`${JSON.stringify(name)}, to be called next, is no export of the module`));
    }
  }
  const stack = validateFrames(snapshot.words, map, snapshot.entry);
  const innermost = stack.frames.at(-1)?.point;
  if (innermost !== snapshot.point) {
    throw new SnapshotError(badFrames(`the innermost is at point ${innermost}, the header says ${snapshot.point}`));
  }
  return stack;
}

function checkModule(made: SnapshotModule, { hash, info }: ModuleAtHand): void {
  const differs = (what: string, found: string | number, expected: string | number): void => {
    if (found !== expected) throw new SnapshotError(otherModule(what, String(found), String(expected)));
  };
  differs('the module with SHA-256', made.hash, hash);
  differs('a module compiled from the original with SHA-256', made.original, info.original);
  differs('ABI version', made.abi, info.abi);
  differs('compiler version', made.compiler, info.compiler);
  differs('the policies', made.policies.join(' '), info.policies.join(' '));
  differs('threshold bits', made.thresholdBits, info.thresholdBits);
}

function checkCount(what: string, found: number, expected: number): void {
  if (found !== expected) throw new SnapshotError(badState(`it has ${found} ${what}, the module ${expected}`));
}
