/** What the host knows about a file, as WASI says it. */

import type { BigIntStats, Dirent } from 'node:fs';
import type { FileStat, FileTimes, FileType } from '../wasi/index.js';

export function fileStatOf(stats: BigIntStats): FileStat {
  return {
    device: stats.dev,
    inode: stats.ino,
    type: fileTypeOf(stats),
    links: stats.nlink,
    size: Number(stats.size),
    accessed: stats.atimeNs,
    modified: stats.mtimeNs,
    changed: stats.ctimeNs,
  };
}

/** Named pipes have no type in WASI. */
export function fileTypeOf(of: BigIntStats | Dirent): FileType {
  if (of.isFile()) return 'regular-file';
  if (of.isDirectory()) return 'directory';
  if (of.isSymbolicLink()) return 'symbolic-link';
  if (of.isCharacterDevice()) return 'character-device';
  if (of.isBlockDevice()) return 'block-device';
  return of.isSocket() ? 'socket-stream' : 'unknown';
}

/**
 * Both times in seconds, as Node takes them. As floating-point numbers they are exact to a quarter of a microsecond at
 * best, also the one that was not to be changed.
 */
export function secondsOf(times: FileTimes, now: FileStat): [accessed: number, modified: number] {
  return [Number(times.accessed ?? now.accessed) / 1e9, Number(times.modified ?? now.modified) / 1e9];
}
