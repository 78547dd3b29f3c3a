/**
 * What writing a snapshot asks of the operating system, call by call: an interface, so that a test can let each call
 * fail, or be the last that happens.
 */

import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { beginSync } from './snapshot-file-helper.js';

/** Whatever stands at a path, as far as it matters here. */
export type PathKind = 'nothing' | 'file' | 'link' | 'directory' | 'other';

export interface SnapshotFileSystem {
  /** What stands at the path itself; links are not followed. */
  kindOf(path: string): PathKind;
  /** Creates a file that must not exist, with mode 0600 less what the umask takes away. */
  createExclusively(path: string): number;
  /** Sets the mode to 0600 whatever the umask took away. */
  makePrivate(fd: number): void;
  /** Writes some of the bytes and says how many. */
  write(fd: number, bytes: Uint8Array): number;
  sync(fd: number): void;
  /** Lets the system begin to make a file durable while more is written to it. Promises nothing. */
  beginSync(path: string): void;
  close(fd: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Makes the entries of a directory durable. */
  syncDirectory(path: string): void;
  list(directory: string): string[];
  /** When a file was last written to, in milliseconds since 1970. */
  modifiedAt(path: string): number;
}

export const nodeFileSystem: SnapshotFileSystem = {
  kindOf(path) {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return 'nothing';
    if (stats.isFile()) return 'file';
    if (stats.isSymbolicLink()) return 'link';
    return stats.isDirectory() ? 'directory' : 'other';
  },
  createExclusively: (path) => openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600),
  makePrivate: (fd) => fchmodSync(fd, 0o600),
  write: (fd, bytes) => writeSync(fd, bytes),
  sync: fsyncSync,
  beginSync,
  close: closeSync,
  rename: renameSync,
  remove: unlinkSync,
  syncDirectory(path) {
    // Windows has no handle to a directory that could be synced; its renames are journalled.
    if (process.platform === 'win32') return;
    const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
  list: readdirSync,
  modifiedAt: (path) => statSync(path).mtimeMs,
};
