/** The nodes of a file system in memory: what a disk's inodes are. */

import { errno, fail } from './errno.js';
import type { FileStat, FileTimes } from './filesystem.js';

interface NodeBase {
  readonly inode: bigint;
  links: number;
  accessed: bigint;
  modified: bigint;
  changed: bigint;
}

export interface DirectoryNode extends NodeBase {
  readonly type: 'directory';
  parent: DirectoryNode | undefined;
  readonly entries: Map<string, Node>;
}

export interface LinkNode extends NodeBase {
  readonly type: 'symbolic-link';
  readonly target: string;
}

export type Node = DirectoryNode | LinkNode | FileNode;

/** Files larger than this cannot be had in memory: 2 GiB. */
const maxSize = 2 ** 31;

/** The bytes of a file, in a buffer that grows by doubling and is zero behind the end. */
export class FileNode implements NodeBase {
  readonly type = 'regular-file';
  readonly inode: bigint;
  links = 0;
  accessed: bigint;
  modified: bigint;
  changed: bigint;
  size = 0;
  #buffer = new Uint8Array(0);

  constructor(inode: bigint, now: bigint) {
    this.inode = inode;
    this.accessed = now;
    this.modified = now;
    this.changed = now;
  }

  /** Valid until the next resize. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.size);
  }

  /** EFBIG when it is more than memory can hold. */
  resize(size: number): void {
    if (size > maxSize) fail(errno.fbig);
    if (size < this.size) this.#buffer.fill(0, size, this.size);
    if (size > this.#buffer.length) {
      const grown = new Uint8Array(Math.min(maxSize, Math.max(size, this.#buffer.length * 2)));
      grown.set(this.bytes());
      this.#buffer = grown;
    }
    this.size = size;
  }
}

/** Makes nodes, puts them under names, and keeps their times. */
export class MemoryDisk {
  readonly #now: () => bigint;
  #lastInode = 0n;

  constructor(now: () => bigint) {
    this.#now = now;
  }

  newFile(): FileNode {
    return new FileNode(this.#nextInode(), this.#now());
  }

  newDirectory(parent: DirectoryNode | undefined): DirectoryNode {
    return { type: 'directory', parent, entries: new Map(), ...this.#fresh() };
  }

  newLink(target: string): LinkNode {
    return { type: 'symbolic-link', target, ...this.#fresh() };
  }

  add(directory: DirectoryNode, name: string, node: Node): void {
    directory.entries.set(name, node);
    node.links += 1;
    this.touch(directory);
  }

  remove(directory: DirectoryNode, name: string): void {
    const node = directory.entries.get(name);
    if (node === undefined) return;
    directory.entries.delete(name);
    node.links -= 1;
    this.touch(directory);
  }

  /** The contents changed just now. */
  touch(node: Node): void {
    node.modified = this.#now();
    node.changed = node.modified;
  }

  setTimes(node: Node, { accessed, modified }: FileTimes): void {
    if (accessed !== undefined) node.accessed = accessed;
    if (modified !== undefined) node.modified = modified;
    node.changed = this.#now();
  }

  stat(node: Node): FileStat {
    const { inode, type, accessed, modified, changed } = node;
    const size = node.type === 'regular-file' ? node.size : node.type === 'symbolic-link' ? node.target.length : 0;
    return { device: 1n, inode, type, links: BigInt(node.links), size, accessed, modified, changed };
  }

  #nextInode(): bigint {
    this.#lastInode += 1n;
    return this.#lastInode;
  }

  #fresh(): Omit<NodeBase, 'inode'> & { inode: bigint } {
    const now = this.#now();
    return { inode: this.#nextInode(), links: 0, accessed: now, modified: now, changed: now };
  }
}
