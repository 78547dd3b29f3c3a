/**
 * The table of open file descriptors: numbers, the plain data of each (descriptors.ts), and beside it the open thing.
 * New descriptors get the lowest free number.
 */

import type { DirectoryDescriptor, FileDescriptor, SocketDescriptor, StdioDescriptor } from './descriptors.js';
import { errno, errnoOf, fail } from './errno.js';
import type { Directory, File } from './filesystem.js';
import type { NetworkSocket } from './network.js';
import type { NetworkState } from './network-state.js';
import { includesRights } from './rights.js';
import type { Socket } from './socket.js';
import type { Stdio } from './stdio.js';

export interface OpenStdio {
  readonly kind: 'stdio';
  readonly data: StdioDescriptor;
  readonly stdio: Stdio;
}

export interface OpenFile {
  readonly kind: 'file';
  readonly data: FileDescriptor;
  readonly file: File;
}

export interface OpenDirectory {
  readonly kind: 'directory';
  readonly data: DirectoryDescriptor;
  readonly directory: Directory;
  /** False for a granted directory, which belongs to whoever granted it. */
  readonly owned: boolean;
}

/** A socket that the host handed in. */
export interface OpenHandedSocket {
  readonly kind: 'socket';
  readonly data: SocketDescriptor;
  readonly socket: Socket;
  readonly network: null;
}

/** A socket that the guest opened. */
export interface OpenNetworkSocket {
  readonly kind: 'socket';
  readonly data: SocketDescriptor;
  readonly socket: NetworkSocket;
  readonly network: NetworkState;
}

export type OpenSocket = OpenHandedSocket | OpenNetworkSocket;

export type OpenDescriptor = OpenStdio | OpenFile | OpenDirectory | OpenSocket;

/** Numbers are below this, so that no guest and no snapshot makes the table huge. */
export const maxDescriptors = 65_536;

export class FdTable {
  readonly #open = new Map<number, OpenDescriptor>();
  #lowestFree = 0;

  /** ENFILE when no number is free: to be asked before anything is opened or created. */
  requireRoom(): void {
    if (this.#lowestFree >= maxDescriptors) fail(errno.nfile);
  }

  /** Takes the lowest free number. */
  add(descriptor: OpenDescriptor): number {
    this.requireRoom();
    const fd = this.#lowestFree;
    this.place(fd, descriptor);
    return fd;
  }

  /** Takes this number, which must be free. */
  place(fd: number, descriptor: OpenDescriptor): void {
    this.#open.set(fd, descriptor);
    while (this.#open.has(this.#lowestFree)) this.#lowestFree += 1;
  }

  /** EBADF when it is not open, ENOTCAPABLE when it lacks one of the rights. */
  get(fd: number, rights = 0): OpenDescriptor {
    const descriptor = this.#open.get(fd) ?? fail(errno.badf);
    if (!includesRights(descriptor.data.rights, rights)) fail(errno.notcapable);
    return descriptor;
  }

  /** Also EISDIR, ESPIPE for what has no contents at an offset. */
  file(fd: number, rights: number): OpenFile {
    const descriptor = this.#open.get(fd) ?? fail(errno.badf);
    if (descriptor.kind === 'directory') fail(errno.isdir);
    if (descriptor.kind !== 'file') fail(errno.spipe);
    if (!includesRights(descriptor.data.rights, rights)) fail(errno.notcapable);
    return descriptor;
  }

  /** Also ENOTDIR. */
  directory(fd: number, rights: number): OpenDirectory {
    const descriptor = this.#open.get(fd) ?? fail(errno.badf);
    if (descriptor.kind !== 'directory') fail(errno.notdir);
    if (!includesRights(descriptor.data.rights, rights)) fail(errno.notcapable);
    return descriptor;
  }

  /** Also ENOTSOCK. */
  socket(fd: number, rights: number): OpenSocket {
    const descriptor = this.#open.get(fd) ?? fail(errno.badf);
    if (descriptor.kind !== 'socket') fail(errno.notsock);
    if (!includesRights(descriptor.data.rights, rights)) fail(errno.notcapable);
    return descriptor;
  }

  /** Also ENOTSUP for one that the host handed in, whose addresses nobody knows. */
  networkSocket(fd: number, rights = 0): OpenNetworkSocket {
    const open = this.socket(fd, rights);
    return open.network === null ? fail(errno.notsup) : open;
  }

  close(fd: number): void {
    const descriptor = this.get(fd);
    this.#open.delete(fd);
    if (fd < this.#lowestFree) this.#lowestFree = fd;
    release(descriptor);
  }

  /** Moves a descriptor to the number of another one, which is closed. EBADF unless both are open. */
  renumber(from: number, to: number): void {
    const moved = this.get(from);
    const replaced = this.get(to);
    if (from === to) return;
    this.#open.set(to, moved);
    this.#open.delete(from);
    if (from < this.#lowestFree) this.#lowestFree = from;
    release(replaced);
  }

  /** All open descriptors by ascending number. */
  entries(): [number, OpenDescriptor][] {
    return [...this.#open].sort(([a], [b]) => a - b);
  }

  /** Closes all, come what may; the table is empty then. */
  closeAll(): void {
    for (const descriptor of this.#open.values()) errnoOf(() => release(descriptor));
    this.#open.clear();
    this.#lowestFree = 0;
  }
}

function release(descriptor: OpenDescriptor): void {
  if (descriptor.kind === 'file') descriptor.file.close();
  if (descriptor.kind === 'socket') descriptor.socket.close();
  if (descriptor.kind === 'directory' && descriptor.owned) descriptor.directory.close();
}
