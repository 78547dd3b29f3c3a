/** A file as a source of a snapshot: opened once, read from front to back through that one descriptor. */

import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { notAFile, SnapshotError, type SnapshotSource } from '../snapshot/index.js';

export interface SnapshotFileSource extends SnapshotSource {
  read(into: Uint8Array): number;
  /** The digest that the file claims to have, hexadecimal; empty when it is too short to have one. Not verified. */
  claimedDigest(): string;
  /** Whether this very file is what stands at the path now. */
  isStillAt(path: string): boolean;
  close(): void;
}

const DIGEST_BYTES = 32;
/** The trailer begins with the digest. */
const TRAILER_BYTES = 160;

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
    return {
      size: stats.size,
      read: (into) => readSync(fd, into),
      claimedDigest() {
        const digest = Buffer.alloc(DIGEST_BYTES);
        if (stats.size < TRAILER_BYTES) return '';
        const count = readSync(fd, digest, 0, DIGEST_BYTES, stats.size - TRAILER_BYTES);
        return digest.toString('hex', 0, count);
      },
      isStillAt(other) {
        const now = statSync(other, { throwIfNoEntry: false });
        return now?.ino === stats.ino && now.dev === stats.dev;
      },
      close: () => closeSync(fd),
    };
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

function refuseUnlessFile(stats: Stats): void {
  if (!stats.isFile()) throw new SnapshotError(notAFile(stats.isDirectory() ? 'directory' : 'FIFO, device or socket'));
}
