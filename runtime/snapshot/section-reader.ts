/** The outer form of a snapshot when reading: sections in their order, content out of blocks, all bounded. */

import type { BlockCipher } from './cipher.js';
import { type Codecs, codecFor } from './compression.js';
import {
  badBlock,
  badSection,
  cannotDecrypt,
  isSnapshotError,
  malformed,
  type SnapshotDiagnostic,
  SnapshotError,
  trailingBytes,
} from './errors.js';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  blockMethods,
  CIPHER_OVERHEAD,
  type Compression,
  FLAG_SKIPPABLE,
  SECTION_HEADER_BYTES,
  type SectionId,
  sectionIds,
} from './format.js';
import type { VerifiedInput } from './verified-input.js';
import { type Task, waitOr } from './wait.js';

export interface Unwrapping {
  readonly codecs: Codecs;
  readonly cipher: BlockCipher | undefined;
  readonly salt: Uint8Array;
}

export class SectionReader {
  readonly #input: VerifiedInput;
  readonly #unwrapping: Unwrapping;
  /** Content of the open section that is not in a block yet. */
  #sectionLeft = 0;
  /** Content of a plain block that is still to be read from the input. */
  #plainLeft = 0;
  /** At its start a block as it is stored. */
  #packed: Uint8Array = new Uint8Array();
  /** Rest of an unpacked block. */
  #block: Uint8Array = new Uint8Array();
  /** Lets the memory of that block go. */
  #release: () => void = () => {};
  #blocks = 0;

  constructor(input: VerifiedInput, unwrapping: Unwrapping) {
    this.#input = input;
    this.#unwrapping = unwrapping;
  }

  /** Bytes of content left in the open section. */
  get left(): number {
    return this.#sectionLeft + this.#plainLeft + this.#block.length;
  }

  /**
   * Opens the next section, which must be this one.
   * @returns its size
   * @throws {SnapshotError} `snapshot/section` for any other, or a size beyond `limit`
   */
  *open(id: SectionId, limit: number): Task<number> {
    this.close();
    for (;;) {
      const header = yield* this.#input.take(SECTION_HEADER_BYTES);
      const view = new DataView(header.buffer);
      const found = String.fromCharCode(...header.subarray(0, 4));
      const flags = view.getUint32(4, true);
      const size = view.getBigUint64(8, true);
      if ((flags & ~FLAG_SKIPPABLE) !== 0)
        throw new SnapshotError(badSection(`has unknown flags on section "${found}"`));
      if (flags === FLAG_SKIPPABLE && !sectionIds.some((known) => known === found)) {
        this.#checkBlockCount(found, size);
        yield* this.#skipBlocks(size);
        continue;
      }
      if (found !== id || flags !== 0)
        throw new SnapshotError(badSection(`has section "${found}" where "${id}" belongs`));
      if (size > BigInt(limit))
        throw new SnapshotError(badSection(`has ${size} bytes in section "${id}", not ${limit}`));
      this.#checkBlockCount(found, size);
      this.#sectionLeft = Number(size);
      return this.#sectionLeft;
    }
  }

  /** {@link open} for a section whose size is known. */
  *openSized(id: SectionId, size: number): Task<void> {
    const found = yield* this.open(id, size);
    if (found !== size) throw new SnapshotError(badSection(`has ${found} bytes in section "${id}", not ${size}`));
  }

  /** @throws {SnapshotError} `snapshot/section` when the open section has fewer bytes left */
  *fill(into: Uint8Array): Task<void> {
    if (into.length > this.left) throw new SnapshotError(badSection('has a section that ends too early'));
    for (let filled = 0; filled < into.length; ) {
      if (this.#plainLeft === 0 && this.#block.length === 0) yield* this.#nextBlock();
      const wanted = into.length - filled;
      if (this.#plainLeft > 0) {
        const part = into.subarray(filled, filled + Math.min(wanted, this.#plainLeft));
        yield* this.#input.fill(part);
        this.#plainLeft -= part.length;
        filled += part.length;
      } else {
        const part = this.#block.subarray(0, wanted);
        into.set(part, filled);
        this.#block = this.#block.subarray(part.length);
        filled += part.length;
      }
    }
  }

  *take(length: number): Task<Uint8Array> {
    if (length > this.left) throw new SnapshotError(badSection('has a section that ends too early'));
    const bytes = new Uint8Array(length);
    yield* this.fill(bytes);
    return bytes;
  }

  /** The open section must be used up. */
  close(): void {
    if (this.left > 0) throw new SnapshotError(badSection(`has ${this.left} bytes too many in a section`));
  }

  /** @throws {SnapshotError} `snapshot/trailing-bytes` */
  end(): void {
    if (this.#input.left > 0) throw new SnapshotError(trailingBytes(this.#input.left));
  }

  *#nextBlock(): Task<void> {
    this.#release();
    this.#release = () => {};
    const size = Math.min(BLOCK_BYTES, this.#sectionLeft);
    const index = this.#blocks;
    const { stored, method } = yield* this.#blockHeader(size);
    this.#sectionLeft -= size;
    const { cipher, codecs, salt } = this.#unwrapping;
    if (method === 'none' && cipher === undefined) {
      if (stored !== size) throw new SnapshotError(malformed(`has a plain block of ${stored} bytes for ${size}`));
      this.#plainLeft = size;
      return;
    }

    if (this.#packed.length < stored) this.#packed = new Uint8Array(stored);
    let block = this.#packed.subarray(0, stored);
    yield* this.#input.fill(block);
    if (cipher !== undefined)
      block = yield* waitOr(() => cipher.open(block, { salt, index }), refusedBy(cannotDecrypt));
    if (method !== 'none') {
      const codec = codecFor(method, codecs);
      const unpacked = yield* waitOr(() => codec.decompress(block, size), refusedBy(badBlock));
      this.#release = () => codec.release?.(unpacked);
      block = unpacked;
    }
    if (block.length !== size) throw new SnapshotError(badBlock(`it holds ${block.length} bytes instead of ${size}`));
    this.#block = block;
  }

  /** Each block must at least be there: a size that the rest of the file cannot hold is refused before it is believed. */
  #checkBlockCount(id: string, size: bigint): void {
    const blocks = (size + BigInt(BLOCK_BYTES - 1)) / BigInt(BLOCK_BYTES);
    if (blocks * BigInt(BLOCK_HEADER_BYTES + 1) > BigInt(this.#input.left)) {
      throw new SnapshotError(badSection(`claims ${size} bytes in section "${id}", more than the file can hold`));
    }
  }

  *#skipBlocks(size: bigint): Task<void> {
    for (let left = size; left > 0n; left -= BigInt(BLOCK_BYTES)) {
      const { stored } = yield* this.#blockHeader(BLOCK_BYTES);
      yield* this.#input.skip(stored);
    }
  }

  *#blockHeader(size: number): Task<{ stored: number; method: Compression }> {
    const view = new DataView((yield* this.#input.take(BLOCK_HEADER_BYTES)).buffer);
    const stored = view.getUint32(0, true);
    const code = view.getUint32(4, true);
    const method = blockMethods[code];
    this.#blocks += 1;
    if (method === undefined) throw new SnapshotError(malformed(`has a block of the unknown method ${code}`));
    if (stored > Math.min(size + CIPHER_OVERHEAD, this.#input.left)) {
      throw new SnapshotError(malformed(`has a block of ${stored} bytes where ${size} belong`));
    }
    return { stored, method };
  }
}

/** An error of a hook becomes ours, unless it is one already. */
function refusedBy(diagnostic: (reason: string) => SnapshotDiagnostic): (error: unknown) => unknown {
  return (error) =>
    isSnapshotError(error)
      ? error
      : new SnapshotError(diagnostic(error instanceof Error ? error.message : 'it is damaged'));
}
