/** A guest for tests: makes WASI calls as a module would, with a memory of its own. */

import { encodeUtf8 } from '../abi/index.js';
import { type Dialect, openFlag } from './flags.js';
import {
  createMemoryDirectory,
  inputOf,
  type MemoryTree,
  outputTo,
  seededRandom,
  virtualClock,
  type Wasi,
  type WasiOptions,
} from './index.js';
import { allRights, directoryRights } from './rights.js';

/** Options for a test: virtual time, seeded randomness, one directory in memory called `/`, and no reason to wait. */
export function testOptions(changes: Partial<WasiOptions> = {}, tree: MemoryTree = {}): WasiOptions {
  return {
    args: ['program'],
    env: [],
    preopens: [{ guest: '/', root: createMemoryDirectory(tree, () => 1_000_000_000n) }],
    stdio: { stdin: inputOf(new Uint8Array()), stdout: outputTo(() => undefined), stderr: outputTo(() => undefined) },
    clock: virtualClock(),
    random: seededRandom(1),
    wait: () => 'timeout',
    interrupt: () => undefined,
    ...changes,
  };
}

/** The descriptor of the first granted directory. */
export const rootFd = 3;

export interface OpenForTest {
  readonly flags?: number;
  readonly rights?: number;
  readonly inheriting?: number;
  readonly fdFlags?: number;
  readonly follow?: boolean;
}

export class WasiGuest {
  readonly memory: WebAssembly.Memory = new WebAssembly.Memory({ initial: 2 });
  readonly #dialect: Dialect;
  #wasi: Wasi;
  #free = 1024;

  constructor(wasi: Wasi, dialect: Dialect = 'wasi_snapshot_preview1') {
    this.#wasi = wasi;
    this.#dialect = dialect;
    wasi.attach(this.memory);
  }

  get view(): DataView {
    return new DataView(this.memory.buffer);
  }

  /** The guest goes on over another host, as after a restore in the same place. */
  moveTo(wasi: Wasi): void {
    this.#wasi = wasi;
    wasi.attach(this.memory);
  }

  /** Result of the call: an error number. */
  call(name: string, ...args: readonly (number | bigint)[]): number {
    const call = this.#wasi.imports[this.#dialect][name];
    if (typeof call !== 'function') throw new Error(`there is no call ${name}`);
    return Number(Reflect.apply(call, undefined, args));
  }

  /** Fails the test unless the call succeeds. */
  must(name: string, ...args: readonly (number | bigint)[]): void {
    const result = this.call(name, ...args);
    if (result !== 0) throw new Error(`${name}(${args.join(', ')}) gave error ${result}`);
  }

  /** Room for so many bytes, at an address that is a multiple of 8. */
  room(bytes: number): number {
    const address = this.#free;
    this.#free += Math.ceil(bytes / 8) * 8;
    return address;
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  text(address: number, length: number): string {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(this.bytes(address, length).slice());
  }

  /** Address and length of a text in the memory: the two arguments of a path. */
  path(text: string): [number, number] {
    const bytes = encodeUtf8(text);
    const address = this.room(bytes.length);
    this.bytes(address, bytes.length).set(bytes);
    return [address, bytes.length];
  }

  /** Address and length of a list of one buffer. */
  buffer(address: number, length: number): [number, number] {
    const list = this.room(8);
    this.view.setUint32(list, address, true);
    this.view.setUint32(list + 4, length, true);
    return [list, 1];
  }

  /** Error number and, when it is 0, the new descriptor. */
  tryOpen(path: string, options: OpenForTest = {}, fd: number = rootFd): { error: number; fd: number } {
    const result = this.room(4);
    const { flags = 0, inheriting = allRights, fdFlags = 0, follow = true } = options;
    // Nobody can open a directory for writing.
    const { rights = (flags & openFlag.directory) === 0 ? allRights : directoryRights } = options;
    const lookup = follow ? 1 : 0;
    const args = [fd, lookup, ...this.path(path), flags, BigInt(rights), BigInt(inheriting), fdFlags, result];
    const error = this.call('path_open', ...args);
    return { error, fd: this.view.getUint32(result, true) };
  }

  open(path: string, options: OpenForTest = {}, fd: number = rootFd): number {
    const opened = this.tryOpen(path, options, fd);
    if (opened.error !== 0) throw new Error(`opening ${path} gave error ${opened.error}`);
    return opened.fd;
  }

  /** Bytes written, or a negative error number. */
  write(fd: number, text: string): number {
    const result = this.room(4);
    const error = this.call('fd_write', fd, ...this.buffer(...this.path(text)), result);
    return error === 0 ? this.view.getUint32(result, true) : -error;
  }

  read(fd: number, length: number): string {
    const address = this.room(length);
    const result = this.room(4);
    this.must('fd_read', fd, ...this.buffer(address, length), result);
    return this.text(address, this.view.getUint32(result, true));
  }

  tell(fd: number): number {
    const result = this.room(8);
    this.must('fd_tell', fd, result);
    return Number(this.view.getBigUint64(result, true));
  }

  seek(fd: number, offset: number, whence: number): number {
    const result = this.room(8);
    const error = this.call('fd_seek', fd, BigInt(offset), whence, result);
    return error === 0 ? Number(this.view.getBigUint64(result, true)) : -error;
  }

  /** The whole contents of a file. */
  contents(path: string): string {
    const fd = this.open(path, { rights: 2, inheriting: 0 });
    const text = this.read(fd, 4096);
    this.must('fd_close', fd);
    return text;
  }

  /** Names from this cookie on, as far as they fit, and the cookie of the last. */
  list(fd: number, cookie = 0n, room = 4096): { names: string[]; next: bigint; used: number } {
    const address = this.room(room);
    const result = this.room(4);
    this.must('fd_readdir', fd, address, room, cookie, result);
    const used = this.view.getUint32(result, true);
    const names: string[] = [];
    let next = cookie;
    for (let at = address; at + 24 <= address + used; ) {
      const length = this.view.getUint32(at + 16, true);
      if (at + 24 + length > address + used) break;
      names.push(this.text(at + 24, length));
      next = this.view.getBigUint64(at, true);
      at += 24 + length;
    }
    return { names, next, used };
  }

  /** Nanoseconds of a clock. */
  time(clock: number): bigint {
    const result = this.room(8);
    this.must('clock_time_get', clock, 0n, result);
    return this.view.getBigUint64(result, true);
  }
}
