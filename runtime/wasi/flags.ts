/** Small codes of the WASI interface, other than error numbers and rights. */

export const fdFlag = { append: 1, dsync: 2, nonblock: 4, rsync: 8, sync: 16 } as const;
export const allFdFlags: number = 31;

export const openFlag = { create: 1, directory: 2, exclusive: 4, truncate: 8 } as const;
export const allOpenFlags: number = 15;

export const lookupFlag = { symlinkFollow: 1 } as const;

export const timesFlag = { accessed: 1, accessedNow: 2, modified: 4, modifiedNow: 8 } as const;
export const allTimesFlags: number = 15;

export const clockId = { realtime: 0, monotonic: 1, processCpuTime: 2, threadCpuTime: 3 } as const;

export const eventType = { clock: 0, fdRead: 1, fdWrite: 2 } as const;
export const eventFlag = { hangup: 1 } as const;
export const subscriptionFlag = { absoluteTime: 1 } as const;

export const receiveFlag = { peek: 1, waitAll: 2 } as const;
export const shutdownFlag = { read: 1, write: 2 } as const;

/** File types; the position in this list is the code. */
export const fileTypes = [
  'unknown',
  'block-device',
  'character-device',
  'directory',
  'regular-file',
  'socket-dgram',
  'socket-stream',
  'symbolic-link',
] as const;
export type FileType = (typeof fileTypes)[number];

export function fileTypeCode(type: FileType): number {
  return fileTypes.indexOf(type);
}

/** Which of the two generations of preview1 a module imports. Some structures and codes differ. */
export type Dialect = 'wasi_snapshot_preview1' | 'wasi_unstable';
