/** Directories of the host, for guests. Names only; no link is ever followed. See host-filesystem-anchor.ts for how. */

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import {
  type Directory,
  type DirectoryEntry,
  ErrnoError,
  errno,
  type File,
  type FileStat,
  type FileTimes,
  type OpenOptions,
} from '../wasi/index.js';
import { type Anchor, anchorAt, openWithoutFollowing } from './host-filesystem-anchor.js';
import { withErrno } from './host-filesystem-errors.js';
import { HostFile } from './host-filesystem-file.js';
import { fileStatOf, fileTypeOf, secondsOf } from './host-filesystem-stat.js';

/**
 * Opens a directory of the host to be granted to guests. Links in `hostPath` itself are followed.
 * @throws {ErrnoError} ENOENT, ENOTDIR, EACCES ...
 */
export function openHostDirectory(hostPath: string): Directory {
  return new HostDirectory(anchorAt(hostPath));
}

/** A directory of the host, however it is held. */
export class HostDirectory implements Directory {
  readonly kind = 'directory';
  readonly #anchor: Anchor;

  constructor(anchor: Anchor) {
    this.#anchor = anchor;
  }

  stat(): FileStat {
    return this.statOf('.');
  }

  open(name: string, options: OpenOptions): File | Directory {
    if (name === '.') {
      if (options.create && options.exclusive) throw new ErrnoError(errno.exist);
      if (options.write || options.truncate || options.create) throw new ErrnoError(errno.isdir);
      return this.openDirectory('.');
    }
    if (options.directory) {
      const changes = options.write || options.truncate;
      if (changes && this.statOf(name).type === 'directory') throw new ErrnoError(errno.isdir);
      return this.openDirectory(name);
    }
    const fd = openWithoutFollowing(this.#anchor.pathOf(name), flagsOf(options));
    const stat = withErrno(() => fstatSync(fd, { bigint: true }));
    if (!stat.isDirectory()) return new HostFile(fd, stat.isFile());
    closeSync(fd);
    return this.openDirectory(name);
  }

  openDirectory(name: string): Directory {
    return new HostDirectory(this.#anchor.descend(name));
  }

  statOf(name: string): FileStat {
    return withErrno(() => fileStatOf(lstatSync(this.#anchor.pathOf(name), { bigint: true })));
  }

  list(): DirectoryEntry[] {
    const names = withErrno(() => readdirSync(this.#anchor.pathOf('.'), 'buffer'));
    return names.flatMap((name) => this.#entryOf(name) ?? []);
  }

  readlink(name: string): string {
    const target = withErrno(() => readlinkSync(this.#anchor.pathOf(name), 'buffer'));
    return textOf(target) ?? illegible();
  }

  setTimesOf(name: string, times: FileTimes): void {
    const [accessed, modified] = secondsOf(times, this.statOf(name));
    withErrno(() => lutimesSync(this.#anchor.pathOf(name), accessed, modified));
  }

  createDirectory(name: string): void {
    withErrno(() => mkdirSync(this.#anchor.pathOf(name)));
  }

  removeDirectory(name: string): void {
    withErrno(() => rmdirSync(this.#anchor.pathOf(name)));
  }

  unlink(name: string): void {
    // Some systems say EPERM for a directory, and some even do it for the superuser.
    if (this.statOf(name).type === 'directory') throw new ErrnoError(errno.isdir);
    withErrno(() => unlinkSync(this.#anchor.pathOf(name)));
  }

  symlink(target: string, name: string): void {
    withErrno(() => symlinkSync(target, this.#anchor.pathOf(name)));
  }

  link(name: string, directory: Directory, newName: string): void {
    const to = sameHost(directory);
    if (this.statOf(name).type === 'directory') throw new ErrnoError(errno.perm);
    withErrno(() => linkSync(this.#anchor.pathOf(name), to.#anchor.pathOf(newName)));
  }

  rename(name: string, directory: Directory, newName: string): void {
    const to = sameHost(directory);
    withErrno(() => renameSync(this.#anchor.pathOf(name), to.#anchor.pathOf(newName)));
  }

  sync(): void {
    const fd = withErrno(() => openSync(this.#anchor.pathOf('.'), constants.O_RDONLY));
    try {
      withErrno(() => fsyncSync(fd));
    } finally {
      closeSync(fd);
    }
  }

  close(): void {
    this.#anchor.close();
  }

  /** Undefined for a name that is not UTF-8, and for one that is gone by now. */
  #entryOf(rawName: Buffer): DirectoryEntry | undefined {
    const name = textOf(rawName);
    if (name === undefined) return undefined;
    const stat = lstatSync(this.#anchor.pathOf(name), { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : { name, inode: stat.ino, type: fileTypeOf(stat) };
  }
}

function sameHost(directory: Directory): HostDirectory {
  if (directory instanceof HostDirectory) return directory;
  throw new ErrnoError(errno.xdev);
}

function flagsOf({ read, write, create, exclusive, truncate }: OpenOptions): number {
  // To truncate a file it must be open for writing, whatever the guest may do with it then.
  const writes = write || truncate;
  return (
    (writes ? (read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY) |
    (create ? constants.O_CREAT : 0) |
    (create && exclusive ? constants.O_EXCL : 0) |
    (truncate ? constants.O_TRUNC : 0) |
    // A named pipe without a writer must not stop us here; regular files take no notice.
    (constants.O_NONBLOCK ?? 0) |
    (constants.O_NOCTTY ?? 0)
  );
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function textOf(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

function illegible(): never {
  throw new ErrnoError(errno.ilseq);
}
