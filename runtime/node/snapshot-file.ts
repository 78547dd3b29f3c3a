/** Snapshots in files: written atomically and durably, read with suspicion. */

import {
  type DecodeOptions,
  decodeSnapshotChain,
  type EncodeOptions,
  encodeSnapshot,
  type Snapshot,
  type SnapshotSource,
  type StoredSnapshot,
  type WrittenSnapshot,
} from '../snapshot/index.js';
import { writeFileAtomically } from './snapshot-file-atomic.js';
import { nameFile } from './snapshot-file-errors.js';
import { nodeCodecs, nodeHasher } from './snapshot-file-services.js';
import { openSnapshotFile, type SnapshotFileSource } from './snapshot-file-source.js';
import { nodeFileSystem, type SnapshotFileSystem } from './snapshot-file-system.js';
import { meteredFiles, type TellProgress, withMeter } from './transfer-progress.js';

export interface WriteFileOptions extends EncodeOptions {
  readonly files?: SnapshotFileSystem | undefined;
  /** Told how far it has come, when it takes more than a second. */
  readonly onProgress?: TellProgress | undefined;
}

/**
 * Writes a snapshot to a file of mode 0600, replacing what is there in one step. After a crash at any moment the old
 * or the new file is there, whole.
 * @throws {SnapshotError} with the path in its message; the old file is untouched
 */
export function writeSnapshotFile(path: string, snapshot: Snapshot, options: WriteFileOptions = {}): WrittenSnapshot {
  const { files = nodeFileSystem, onProgress, ...encoding } = options;
  return withMeter({ action: 'write', file: path }, onProgress, (meter) =>
    writeFileAtomically(path, encodeSnapshot(snapshot, { ...nodeServices, ...encoding }), meteredFiles(files, meter)),
  );
}

/**
 * Reads a base snapshot.
 * @throws {SnapshotError} with the path in its message
 */
export function readSnapshotFile(path: string, options: DecodeOptions = {}): StoredSnapshot {
  return readSnapshotFiles([path], options);
}

/**
 * Reads a base and the deltas that continue it, oldest first.
 * @throws {SnapshotError} with the path of the file that is wrong in its message
 */
export function readSnapshotFiles(paths: readonly string[], options: DecodeOptions = {}): StoredSnapshot {
  return withFiles(paths, (sources) => decodeSnapshotChain(sources, { ...nodeServices, ...options }));
}

/**
 * Folds a base and its deltas into one base at `target`, which may be the path of one of them.
 * @throws {SnapshotError} with the path of the file that is wrong in its message; the old file is untouched
 */
export function compactSnapshotFiles(
  paths: readonly string[],
  target: string,
  reading: DecodeOptions = {},
  writing: Omit<WriteFileOptions, 'delta'> = {},
): WrittenSnapshot {
  return writeSnapshotFile(target, readSnapshotFiles(paths, reading), writing);
}

const nodeServices = { hasher: nodeHasher, codecs: nodeCodecs };

/** Opens one file after the other, as they are asked for; an error is about the one that is open. */
function withFiles<R>(paths: readonly string[], use: (sources: Iterable<SnapshotSource>) => R): R {
  let current: string | undefined;
  let source: SnapshotFileSource | undefined;
  const open = function* (): Generator<SnapshotSource, void, void> {
    for (const path of paths) {
      source?.close();
      source = undefined;
      current = path;
      source = openSnapshotFile(path);
      yield source;
    }
  };
  try {
    return use(open());
  } catch (error) {
    throw current === undefined ? error : nameFile(error, current, 'read');
  } finally {
    source?.close();
  }
}
