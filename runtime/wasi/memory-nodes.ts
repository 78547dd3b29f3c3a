/** The nodes of a file system in memory: what a disk's inodes are. */

import { encodeUtf8 } from '../abi/index.js';
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

/** Contents behind this offset cannot be had in memory: 1 GiB. */
const maxContents = 2 ** 30;

/**
 * A file: what was written, in a buffer that grows by doubling, and zeros from its end to the end of the file. So a file
 * that is only made long takes no memory.
 */
export class FileNode implements NodeBase {
  readonly type = 'regular-file';
  readonly inode: bigint;
  links = 0;
  accessed: bigint;
  modified: bigint;
  changed: bigint;
  #size = 0;
  #contents = new Uint8Array(0);

  constructor(inode: bigint, now: bigint) {
    this.inode = inode;
    this.accessed = now;
    this.modified = now;
    this.changed = now;
  }

  get size(): number {
    return this.#size;
  }

  /** How many bytes were there to be read. */
  read(target: Uint8Array, position: number): number {
    const length = Math.max(0, Math.min(target.length, this.#size - position));
    const contents = this.#contents.subarray(position, position + length);
    target.set(contents);
    target.fill(0, contents.length, length);
    return length;
  }

  /** EFBIG when it is more than memory may hold, ENOSPC when it holds no more. */
  write(bytes: Uint8Array, position: number): void {
    const end = position + bytes.length;
    if (end > maxContents) fail(errno.fbig);
    if (end > this.#contents.length) this.#grow(end);
    this.#contents.set(bytes, position);
    this.#size = Math.max(this.#size, end);
  }

  resize(size: number): void {
    if (size < this.#size) this.#contents.fill(0, size);
    this.#size = size;
  }

  #grow(atLeast: number): void {
    const grown = zeros(Math.min(maxContents, Math.max(atLeast, this.#contents.length * 2)));
    grown.set(this.#contents);
    this.#contents = grown;
  }
}

function zeros(length: number): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(length);
  } catch {
    return fail(errno.nospc);
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
    const size = sizeOf(node);
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

function sizeOf(node: Node): number {
  if (node.type === 'regular-file') return node.size;
  return node.type === 'symbolic-link' ? encodeUtf8(node.target).length : 0;
}
