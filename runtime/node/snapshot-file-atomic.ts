/**
 * A file that is there as a whole or not at all, whenever the process or the machine stops:
 *
 *   1. create a temporary beside the target, exclusively, mode 0600
 *   2. write, fsync, close                        until here the old file is untouched
 *   3. rename over the target                     atomic: the old file or the new one
 *   4. fsync the folder                           from here on the new one survives a power cut
 *
 * A failure in 1 to 3 removes the temporary and leaves the old file. A failure in 4 is reported although the new file
 * stands: it is whole, but not known to be durable.
 */

import { basename, dirname, join } from 'node:path';
import { notAFile, SnapshotError } from '../snapshot/index.js';
import { nameFile } from './snapshot-file-errors.js';
import { nodeFileSystem, type SnapshotFileSystem } from './snapshot-file-system.js';
import { removeStaleTemporaries, temporaryName } from './snapshot-file-temporary.js';

/** Less is durable in a moment anyway. */
const BEGIN_SYNC_BYTES = 32 << 20;

/**
 * Writes the chunks to a file at `path`, which is replaced if it is a file or a link (never the link's target).
 * @returns what the generator of the chunks returns
 * @throws {SnapshotError} `snapshot/not-a-file`, `snapshot/io`, and whatever the generator throws
 */
export function writeFileAtomically<R>(
  path: string,
  chunks: Generator<Uint8Array, R, void>,
  files: SnapshotFileSystem = nodeFileSystem,
): R {
  const directory = dirname(path);
  const target = basename(path);
  const temporary = join(directory, temporaryName(target));
  let fd: number | undefined;
  let created = false;
  try {
    refuseUnlessReplaceable(path, files);
    removeStaleTemporaries(files, directory, target);
    fd = files.createExclusively(temporary);
    created = true;
    files.makePrivate(fd);
    const result = writeChunks(fd, chunks, files, () => attempt(files.beginSync, temporary));
    files.sync(fd);
    const open = fd;
    fd = undefined;
    files.close(open);
    files.rename(temporary, path);
    created = false;
    files.syncDirectory(directory);
    return result;
  } catch (error) {
    if (fd !== undefined) attempt(files.close, fd);
    if (created) attempt(files.remove, temporary);
    throw nameFile(error, path, 'written');
  }
}

function refuseUnlessReplaceable(path: string, files: SnapshotFileSystem): void {
  const kind = files.kindOf(path);
  if (kind === 'directory') throw new SnapshotError(notAFile('directory'));
  if (kind === 'other') throw new SnapshotError(notAFile('FIFO, device or socket'));
}

/** @param beginSync called now and then, so that the disk is at work while the rest is still being hashed */
function writeChunks<R>(
  fd: number,
  chunks: Generator<Uint8Array, R, void>,
  files: SnapshotFileSystem,
  beginSync: () => void,
): R {
  let unsynced = 0;
  const results: R[] = [];
  const keepResult = function* (): Generator<Uint8Array, void, void> {
    results.push(yield* chunks);
  };
  // The loop ends the generator also when writing fails, so that it can let go of what it holds.
  for (const chunk of keepResult()) {
    let rest = chunk;
    while (rest.length > 0) rest = rest.subarray(files.write(fd, rest));
    unsynced += chunk.length;
    if (unsynced < BEGIN_SYNC_BYTES) continue;
    beginSync();
    unsynced = 0;
  }
  for (const result of results) return result;
  throw new RangeError('the chunks ended without a result');
}

/** What may fail: clearing up after a failure, which must not hide it, and what is only to save time. */
function attempt<T>(action: (argument: T) => void, argument: T): void {
  try {
    action(argument);
  } catch {
    // There is nothing to report, or something else.
  }
}
