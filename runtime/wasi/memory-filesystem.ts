/**
 * A file system in memory, for browsers, tests and deterministic runs. Names, links, times and errors are those of a
 * Unix directory tree; there are no permissions, and nothing but files, directories and symbolic links.
 */

import { encodeUtf8 } from '../abi/index.js';
import { errno, fail } from './errno.js';
import type { Directory, DirectoryEntry, File, FileStat, FileTimes, OpenOptions } from './filesystem.js';
import { type DirectoryNode, type FileNode, MemoryDisk, type Node } from './memory-nodes.js';

/** What a new file system holds: directories by objects, files by their bytes or text. */
export interface MemoryTree {
  readonly [name: string]: MemoryTree | Uint8Array | string;
}

/**
 * The root of a new file system.
 * @param now the time that new and changed files get, nanoseconds since 1970; default: the host's clock
 */
export function createMemoryDirectory(
  tree: MemoryTree = {},
  now: () => bigint = () => BigInt(Date.now()) * 1_000_000n,
): Directory {
  const disk = new MemoryDisk(now);
  const root = disk.newDirectory(undefined);
  fillDirectory(disk, root, tree);
  return new MemoryDirectory(disk, root);
}

function fillDirectory(disk: MemoryDisk, directory: DirectoryNode, tree: MemoryTree): void {
  for (const [name, content] of Object.entries(tree)) {
    if (typeof content === 'string' || ArrayBuffer.isView(content)) {
      const file = disk.newFile();
      disk.add(directory, name, file);
      file.write(typeof content === 'string' ? encodeUtf8(content) : new Uint8Array(content), 0);
    } else {
      const below = disk.newDirectory(directory);
      disk.add(directory, name, below);
      fillDirectory(disk, below, content);
    }
  }
}

/** A handle: several can stand for one node. Closing one has no effect, for there is nothing to give back. */
class MemoryDirectory implements Directory {
  readonly kind = 'directory';
  readonly disk: MemoryDisk;
  readonly node: DirectoryNode;

  constructor(disk: MemoryDisk, node: DirectoryNode) {
    this.disk = disk;
    this.node = node;
  }

  stat(): FileStat {
    return this.disk.stat(this.node);
  }

  open(name: string, options: OpenOptions): File | Directory {
    const existing = this.#find(name);
    if (existing === undefined) {
      if (!options.create) fail(errno.noent);
      if (options.directory) fail(errno.isdir);
      const file = this.disk.newFile();
      this.disk.add(this.node, name, file);
      return new MemoryFile(this.disk, file);
    }
    if (options.create && options.exclusive) fail(errno.exist);
    if (existing.type === 'symbolic-link') return fail(errno.loop);
    if (existing.type === 'directory') {
      if (options.write || options.truncate || options.create) fail(errno.isdir);
      return new MemoryDirectory(this.disk, existing);
    }
    if (options.directory) fail(errno.notdir);
    if (options.truncate) {
      existing.resize(0);
      this.disk.touch(existing);
    }
    return new MemoryFile(this.disk, existing);
  }

  openDirectory(name: string): Directory {
    const node = this.#get(name);
    return node.type === 'directory' ? new MemoryDirectory(this.disk, node) : fail(errno.notdir);
  }

  statOf(name: string): FileStat {
    return this.disk.stat(this.#get(name));
  }

  list(): DirectoryEntry[] {
    return [...this.node.entries].map(([name, node]) => ({ name, inode: node.inode, type: node.type }));
  }

  readlink(name: string): string {
    const node = this.#get(name);
    return node.type === 'symbolic-link' ? node.target : fail(errno.inval);
  }

  setTimesOf(name: string, times: FileTimes): void {
    this.disk.setTimes(this.#get(name), times);
  }

  createDirectory(name: string): void {
    if (this.#find(name) !== undefined) fail(errno.exist);
    this.disk.add(this.node, name, this.disk.newDirectory(this.node));
  }

  removeDirectory(name: string): void {
    const node = this.#get(name);
    if (node.type !== 'directory') fail(errno.notdir);
    if (node.entries.size > 0) fail(errno.notempty);
    this.disk.remove(this.node, name);
  }

  unlink(name: string): void {
    if (this.#get(name).type === 'directory') fail(errno.isdir);
    this.disk.remove(this.node, name);
  }

  symlink(target: string, name: string): void {
    if (this.#find(name) !== undefined) fail(errno.exist);
    this.disk.add(this.node, name, this.disk.newLink(target));
  }

  link(name: string, directory: Directory, newName: string): void {
    const to = this.#sameDisk(directory);
    const node = this.#get(name);
    if (node.type === 'directory') fail(errno.perm);
    if (to.#find(newName) !== undefined) fail(errno.exist);
    this.disk.add(to.node, newName, node);
  }

  rename(name: string, directory: Directory, newName: string): void {
    const to = this.#sameDisk(directory);
    const node = this.#get(name);
    const replaced = to.#find(newName);
    if (replaced === node) return;
    if (node.type === 'directory' && isWithin(to.node, node)) fail(errno.inval);
    if (replaced?.type === 'directory' && isWithin(this.node, replaced)) fail(errno.notempty);
    if (replaced !== undefined) {
      if (node.type === 'directory' && replaced.type !== 'directory') fail(errno.notdir);
      if (node.type !== 'directory' && replaced.type === 'directory') fail(errno.isdir);
      if (replaced.type === 'directory' && replaced.entries.size > 0) fail(errno.notempty);
      this.disk.remove(to.node, newName);
    }
    this.disk.add(to.node, newName, node);
    this.disk.remove(this.node, name);
    if (node.type === 'directory') node.parent = to.node;
  }

  sync(): void {}

  close(): void {}

  #find(name: string): Node | undefined {
    if (name === '.') return this.node;
    if (encodeUtf8(name).length > 255) fail(errno.nametoolong);
    return this.node.entries.get(name);
  }

  #get(name: string): Node {
    return this.#find(name) ?? fail(errno.noent);
  }

  #sameDisk(directory: Directory): MemoryDirectory {
    return directory instanceof MemoryDirectory && directory.disk === this.disk ? directory : fail(errno.xdev);
  }
}

class MemoryFile implements File {
  readonly kind = 'file';
  readonly hasPositions = true;
  readonly #disk: MemoryDisk;
  readonly #node: FileNode;

  constructor(disk: MemoryDisk, node: FileNode) {
    this.#disk = disk;
    this.#node = node;
  }

  stat(): FileStat {
    return this.#disk.stat(this.#node);
  }

  read(buffer: Uint8Array, position: number): number {
    return this.#node.read(buffer, position);
  }

  write(bytes: Uint8Array, position: number): number {
    this.#node.write(bytes, position);
    this.#disk.touch(this.#node);
    return bytes.length;
  }

  append(bytes: Uint8Array): { written: number; end: number } {
    const written = this.write(bytes, this.#node.size);
    return { written, end: this.#node.size };
  }

  truncate(size: number): void {
    this.#node.resize(size);
    this.#disk.touch(this.#node);
  }

  setTimes(times: FileTimes): void {
    this.#disk.setTimes(this.#node, times);
  }

  sync(): void {}

  close(): void {}
}

function isWithin(directory: DirectoryNode, above: DirectoryNode): boolean {
  for (let node: DirectoryNode | undefined = directory; node !== undefined; node = node.parent) {
    if (node === above) return true;
  }
  return false;
}
