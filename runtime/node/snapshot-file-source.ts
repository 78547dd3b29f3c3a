/** A file as a source of a snapshot: opened once, read from front to back through that one descriptor. */

import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { notAFile, SnapshotError, type SnapshotSource } from '../snapshot/index.js';

export interface SnapshotFileSource extends SnapshotSource {
  close(): void;
}

/**
 * Opens a regular file, or a link to one. Nothing else is opened at all: opening a FIFO waits, opening a device acts.
 * @throws {SnapshotError} `snapshot/not-a-file`, and the errors of the operating system
 */
export function openSnapshotFile(path: string): SnapshotFileSource {
  refuseUnlessFile(statSync(path));
  // Something else may stand there by now: do not wait for it either, and look at what was opened.
  const fd = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(fd);
    refuseUnlessFile(stats);
    return { size: stats.size, read: (into) => readSync(fd, into), close: () => closeSync(fd) };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function refuseUnlessFile(stats: Stats): void {
  if (!stats.isFile()) throw new SnapshotError(notAFile(stats.isDirectory() ? 'directory' : 'FIFO, device or socket'));
}
