/** A base and the deltas that continue it. */

import { type DecodeOptions, decode } from './decode.js';
import { type EncodeOptions, encodeSnapshot, type WrittenSnapshot } from './encode.js';
import { badMagic, SnapshotError } from './errors.js';
import type { StoredSnapshot } from './snapshot.js';
import type { SnapshotSource } from './source.js';
import { runAsync, runSync, type Task } from './wait.js';

/**
 * Reads a base and its deltas, oldest first, and gives the state of the last one. Each link is verified, and must name
 * the one before it.
 * @throws {SnapshotError} `snapshot/wrong-parent` when they do not belong together, and all of `decodeSnapshot`
 */
export function decodeSnapshotChain(
  sources: Iterable<Uint8Array | SnapshotSource>,
  options: DecodeOptions = {},
): StoredSnapshot {
  return runSync(decodeChain(sources, options));
}

/** {@link decodeSnapshotChain} for sources and hooks that are asynchronous. */
export function decodeSnapshotChainAsync(
  sources: Iterable<Uint8Array | SnapshotSource>,
  options: DecodeOptions = {},
): Promise<StoredSnapshot> {
  return runAsync(decodeChain(sources, options));
}

/**
 * Folds a base and its deltas into one base that stands for the last of them, in chunks as `encodeSnapshot` gives them.
 * @throws {SnapshotError} before the first chunk when the chain is not sound
 */
export function* compactSnapshots(
  sources: Iterable<Uint8Array | SnapshotSource>,
  reading: DecodeOptions = {},
  writing: Omit<EncodeOptions, 'delta'> = {},
): Generator<Uint8Array, WrittenSnapshot, void> {
  return yield* encodeSnapshot(decodeSnapshotChain(sources, reading), writing);
}

function* decodeChain(sources: Iterable<Uint8Array | SnapshotSource>, options: DecodeOptions): Task<StoredSnapshot> {
  let last: StoredSnapshot | undefined;
  for (const source of sources) last = yield* decode(source, options, last);
  if (last === undefined) throw new SnapshotError(badMagic(0));
  return last;
}
