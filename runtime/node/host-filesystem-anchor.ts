/**
 * How a directory of the host is held, so that a name in it means what it meant when the directory was opened. Node has
 * no `openat`, so there are two ways:
 *
 * - **Linux**: the directory is held open, and a name in it is reached as `/proc/self/fd/<fd>/<name>`. The kernel goes
 *   from the descriptor, not from a path: whatever is renamed, moved or swapped for a link above it, the name is looked
 *   up in this very directory. Guaranteed against everybody, at any time.
 * - **elsewhere**: the real path is kept with device and inode, and before each use it is checked that the path still
 *   leads there without any link. A guest, which does one thing at a time, cannot get out. Another program of the host
 *   that may write above the granted directory could, by a swap between the check and the use.
 */

import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { ErrnoError, errno } from '../wasi/index.js';
import { withErrno } from './host-filesystem-errors.js';

export interface Anchor {
  /** A host path for this name in the directory, or for the directory itself by `.`; to be used at once. */
  pathOf(name: string): string;
  /** The directory of this name, which must be none but a directory. */
  descend(name: string): Anchor;
  close(): void;
}

/** Linux's flag for a descriptor that only marks a place; it needs no permission to read. Node does not name it. */
const O_PATH = 0o10000000;

const walkFlags = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW;

export function anchorAt(hostPath: string): Anchor {
  const path = withErrno(() => realpathSync.native(hostPath));
  if (process.platform === 'linux' && existsSync('/proc/self/fd')) {
    return withErrno(() => new DescriptorAnchor(openSync(path, walkFlags)));
  }
  return new PathAnchor(path);
}

export class DescriptorAnchor implements Anchor {
  readonly #fd: number;

  constructor(fd: number) {
    this.#fd = fd;
  }

  pathOf(name: string): string {
    return `/proc/self/fd/${this.#fd}/${name}`;
  }

  descend(name: string): Anchor {
    return withErrno(() => new DescriptorAnchor(openSync(this.pathOf(name), walkFlags)));
  }

  close(): void {
    withErrno(() => closeSync(this.#fd));
  }
}

export class PathAnchor implements Anchor {
  readonly #path: string;
  readonly #device: bigint;
  readonly #inode: bigint;

  /** @param path absolute, without links */
  constructor(path: string) {
    const stat = withErrno(() => lstatSync(path, { bigint: true }));
    if (!stat.isDirectory()) throw new ErrnoError(errno.notdir);
    this.#path = path;
    this.#device = stat.dev;
    this.#inode = stat.ino;
  }

  pathOf(name: string): string {
    const stat = withErrno(() => lstatSync(this.#path, { bigint: true }));
    const isSame = stat.dev === this.#device && stat.ino === this.#inode;
    if (!isSame || withErrno(() => realpathSync.native(this.#path)) !== this.#path) throw new ErrnoError(errno.stale);
    if (process.platform === 'win32' && /[\\:]/.test(name)) throw new ErrnoError(errno.noent);
    return join(this.#path, name);
  }

  descend(name: string): Anchor {
    return new PathAnchor(this.pathOf(name));
  }

  close(): void {}
}

/** Opens what this path of an anchor names, never through a link as its last component. Returns a descriptor of the host. */
export function openWithoutFollowing(path: string, flags: number): number {
  // Windows has no such flag, so there the link is looked for before, and compared with what was opened after.
  if (constants.O_NOFOLLOW !== undefined) return withErrno(() => openSync(path, flags | constants.O_NOFOLLOW, 0o666));
  const before = withErrno(() => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
  if (before?.isSymbolicLink() === true) throw new ErrnoError(errno.loop);
  const fd = withErrno(() => openSync(path, flags, 0o666));
  const after = fstatSync(fd, { bigint: true });
  if (before !== undefined && (before.dev !== after.dev || before.ino !== after.ino)) {
    closeSync(fd);
    throw new ErrnoError(errno.stale);
  }
  return fd;
}
