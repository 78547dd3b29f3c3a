/**
 * The guest's memory, bounds-checked: an address that is not in it ends the call with EFAULT. Addresses and lengths are
 * 32-bit values as they come from the guest, signed or not. Views are taken anew whenever the memory has grown.
 */

import { encodeUtf8 } from '../abi/index.js';
import { errno, fail } from './errno.js';

/** Longest path that is looked at, in bytes. */
const maxPathLength = 4096;

/** Most buffers that one call may read or write, as everywhere else. */
const maxBuffers = 1024;

/** A byte order mark is a part of a name like any other. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class GuestMemory {
  readonly #onWrite: (address: number, length: number) => void;
  #memory: WebAssembly.Memory | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));

  constructor(onWrite: (address: number, length: number) => void) {
    this.#onWrite = onWrite;
  }

  attach(memory: WebAssembly.Memory): void {
    this.#memory = memory;
  }

  /** The start of `length` bytes as an unsigned number, once it is known that all of them exist. */
  range(address: number, length: number): number {
    const start = address >>> 0;
    if (start + (length >>> 0) > this.#current().byteLength) fail(errno.fault);
    return start;
  }

  /** These bytes themselves, for reading. */
  bytes(address: number, length: number): Uint8Array {
    const start = this.range(address, length);
    return new Uint8Array(this.#view.buffer, start, length >>> 0);
  }

  /** These bytes themselves, for a writer that reports what it wrote by {@link wrote}. */
  writable(address: number, length: number): Uint8Array {
    return this.bytes(address, length);
  }

  /** Reports that bytes were written behind the back of this class. */
  wrote(address: number, length: number): void {
    if (length > 0) this.#onWrite(address >>> 0, length);
  }

  write(address: number, bytes: Uint8Array): void {
    this.bytes(address, bytes.length).set(bytes);
    this.wrote(address, bytes.length);
  }

  readU8(address: number): number {
    const start = this.range(address, 1);
    return this.#view.getUint8(start);
  }

  readU16(address: number): number {
    const start = this.range(address, 2);
    return this.#view.getUint16(start, true);
  }

  readU32(address: number): number {
    const start = this.range(address, 4);
    return this.#view.getUint32(start, true);
  }

  readU64(address: number): bigint {
    const start = this.range(address, 8);
    return this.#view.getBigUint64(start, true);
  }

  writeU16(address: number, value: number): void {
    const start = this.range(address, 2);
    this.#view.setUint16(start, value, true);
    this.wrote(start, 2);
  }

  writeU32(address: number, value: number): void {
    const start = this.range(address, 4);
    this.#view.setUint32(start, value, true);
    this.wrote(start, 4);
  }

  writeU64(address: number, value: bigint): void {
    const start = this.range(address, 8);
    this.#view.setBigUint64(start, BigInt.asUintN(64, value), true);
    this.wrote(start, 8);
  }

  /** A list of buffers: pairs of address and length. All of them are checked before any is used. */
  buffers(address: number, count: number): GuestBuffer[] {
    const items = count >>> 0;
    if (items > maxBuffers) fail(errno.inval);
    const start = this.range(address, items * 8);
    return Array.from({ length: items }, (_, index) => {
      const length = this.readU32(start + index * 8 + 4);
      return { address: this.range(this.readU32(start + index * 8), length), length };
    });
  }

  /** A path; ENAMETOOLONG, EILSEQ when it is not UTF-8, EINVAL when it holds a NUL. */
  path(address: number, length: number): string {
    const bytes = this.bytes(address, length);
    if (bytes.length > maxPathLength) fail(errno.nametoolong);
    if (bytes.includes(0)) fail(errno.inval);
    try {
      return utf8.decode(bytes);
    } catch {
      return fail(errno.ilseq);
    }
  }

  /** A text that ends in a NUL; ENAMETOOLONG, EILSEQ. */
  cString(address: number): string {
    const start = this.range(address, 1);
    const room = Math.min(maxPathLength, this.#view.byteLength - start);
    const length = this.bytes(start, room).indexOf(0);
    if (length < 0) fail(room < maxPathLength ? errno.fault : errno.nametoolong);
    return this.path(start, length);
  }

  /** Strings with a NUL behind each, one after the other, and where each begins. */
  writeStrings(pointers: number, text: number, strings: readonly string[]): void {
    const encoded = strings.map((string) => encodeUtf8(`${string}\0`));
    const total = encoded.reduce((sum, bytes) => sum + bytes.length, 0);
    const table = this.range(pointers, encoded.length * 4);
    let at = this.range(text, total);
    encoded.forEach((bytes, index) => {
      this.writeU32(table + index * 4, at);
      this.write(at, bytes);
      at += bytes.length;
    });
  }

  #current(): DataView {
    const buffer = this.#memory?.buffer;
    if (buffer !== undefined && buffer !== this.#view.buffer) this.#view = new DataView(buffer);
    return this.#view;
  }
}

/** One buffer of the guest, known to be inside its memory. */
export interface GuestBuffer {
  readonly address: number;
  readonly length: number;
}
