/** What the host knows about a file, as WASI says it. */

import type { BigIntStats } from 'node:fs';
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
export function fileTypeOf(of: BigIntStats): FileType {
  if (of.isFile()) return 'regular-file';
  if (of.isDirectory()) return 'directory';
  if (of.isSymbolicLink()) return 'symbolic-link';
  if (of.isCharacterDevice()) return 'character-device';
  if (of.isBlockDevice()) return 'block-device';
  return of.isSocket() ? 'socket-stream' : 'unknown';
}

/**
 * Both times in seconds, as Node takes them. It passes on whole microseconds only, so what is less is lost, also of the
 * time that was not to be changed.
 */
export function secondsOf(times: FileTimes, now: FileStat): [accessed: number, modified: number] {
  return [secondsFrom(times.accessed ?? now.accessed), secondsFrom(times.modified ?? now.modified)];
}

/** A step between two floating-point numbers of the size that times in seconds have now. */
const step = 2 ** -22;

/** The first number that is, cut off behind the microseconds, the right one: the nearest can be a little too small. */
function secondsFrom(nanoseconds: bigint): number {
  const seconds = Number(nanoseconds / 1000n) / 1e6;
  const fraction = Number((nanoseconds / 1000n) % 1_000_000n);
  return Math.floor((seconds - Math.floor(seconds)) * 1e6) < fraction ? seconds + step : seconds;
}
