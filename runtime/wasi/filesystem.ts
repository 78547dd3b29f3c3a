/**
 * What the WASI host needs of a file system: directories whose operations take one name, never a path, and never
 * follow a symbolic link. Paths are walked by path-resolver.ts, the same way over every file system, so that the
 * sandbox is one piece of code.
 *
 * Everything is synchronous. Operations throw {@link ErrnoError}. A name is one path component; where it says so it may
 * be `.` for the directory itself. Times are nanoseconds since 1970, sizes and positions are bytes.
 */

import type { FileType } from './flags.js';

export interface FileStat {
  readonly device: bigint;
  readonly inode: bigint;
  readonly type: FileType;
  readonly links: bigint;
  readonly size: number;
  readonly accessed: bigint;
  readonly modified: bigint;
  readonly changed: bigint;
}

/** Times to set; what is missing stays as it is. */
export interface FileTimes {
  readonly accessed?: bigint;
  readonly modified?: bigint;
}

export interface OpenOptions {
  readonly read: boolean;
  readonly write: boolean;
  readonly create: boolean;
  readonly exclusive: boolean;
  readonly truncate: boolean;
  /** ENOTDIR when it is anything but a directory. */
  readonly directory: boolean;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly inode: bigint;
  readonly type: FileType;
}

export interface File {
  readonly kind: 'file';
  /** False for named pipes and devices: reads and writes go on where they are, and positions mean nothing. */
  readonly hasPositions: boolean;
  stat(): FileStat;
  /** How many bytes were read at this position, 0 at the end. `would-block` only for what is not a regular file. */
  read(buffer: Uint8Array, position: number): number | 'would-block';
  /** How many bytes were written at this position. */
  write(bytes: Uint8Array, position: number): number;
  /** Writes at the end, wherever that is by now. Returns how much, and where the end is then. */
  append(bytes: Uint8Array): { readonly written: number; readonly end: number };
  truncate(size: number): void;
  setTimes(times: FileTimes): void;
  /** Waits until the contents, and unless `dataOnly` what is known about the file, are on the disk. */
  sync(dataOnly: boolean): void;
  close(): void;
}

export interface Directory {
  readonly kind: 'directory';
  stat(): FileStat;
  /** Opens what has this name, or `.`. ELOOP for a symbolic link, EISDIR for a directory to be written. */
  open(name: string, options: OpenOptions): File | Directory;
  /** Opens a directory for walking on. ENOTDIR or ELOOP for a symbolic link. */
  openDirectory(name: string): Directory;
  /** What this name stands for, or `.`; a symbolic link stands for itself. */
  statOf(name: string): FileStat;
  /** All names but `.` and `..`, in no particular order. Names that are not UTF-8 are left out: no guest can say them. */
  list(): DirectoryEntry[];
  /** Target of a symbolic link. EINVAL when it is something else. */
  readlink(name: string): string;
  setTimesOf(name: string, times: FileTimes): void;
  createDirectory(name: string): void;
  removeDirectory(name: string): void;
  unlink(name: string): void;
  symlink(target: string, name: string): void;
  /** Gives what has this name (a link itself) a second name. EXDEV for a directory of another file system. */
  link(name: string, directory: Directory, newName: string): void;
  /** EXDEV for a directory of another file system. */
  rename(name: string, directory: Directory, newName: string): void;
  sync(): void;
  close(): void;
}

/** A directory that a guest is granted, and the name by which it knows it. */
export interface Preopen {
  /** What the guest calls it, for example `/` or `data`. Unique. */
  readonly guest: string;
  readonly root: Directory;
  /** Takes away every right with which something could be changed. */
  readonly readOnly?: boolean;
  /** What a restore does about a file that has another size or modification time than at the checkpoint. Default `refuse`. */
  readonly onChangedFile?: 'refuse' | 'accept';
}
