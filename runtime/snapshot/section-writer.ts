/**
 * The outer form of a snapshot when writing: sections of blocks go in, chunks come out. Holds one block when compressing or
 * encrypting, whatever the size of the guest.
 */

import type { BlockCipher } from './cipher.js';
import { type Codec, type Codecs, codecFor } from './compression.js';
import type { PieceHasher } from './digest.js';
import { SnapshotError, unwritable } from './errors.js';
import {
  BLOCK_BYTES,
  BLOCK_HEADER_BYTES,
  blockMethods,
  CIPHER_OVERHEAD,
  type Compression,
  FLAG_ENCRYPTED,
  FORMAT_VERSION,
  MAGIC,
  PREAMBLE_BYTES,
  SECTION_HEADER_BYTES,
  type SectionId,
  TRAILER_BYTES,
} from './format.js';
import { PieceWriter, sizeChanged } from './piece-writer.js';
import { type Signer, signDigest } from './signature.js';
import { type ChunkTask, wait } from './wait.js';

export interface Wrapping {
  readonly compression: Compression;
  readonly codecs: Codecs;
  readonly cipher: BlockCipher | undefined;
  /** 16 bytes, zeros when nothing is encrypted. */
  readonly salt: Uint8Array;
}

export class SectionWriter {
  readonly #hasher: PieceHasher;
  readonly #out: PieceWriter;
  readonly #wrapping: Wrapping;
  readonly #codec: Codec | undefined;
  #blocks = 0;

  /** @param mostBytes the body will not be larger ({@link mostBodyBytes}) */
  constructor(hasher: PieceHasher, mostBytes: number, wrapping: Wrapping) {
    const { compression, codecs } = wrapping;
    this.#hasher = hasher;
    this.#out = new PieceWriter(hasher, mostBytes);
    this.#wrapping = wrapping;
    this.#codec = compression === 'none' ? undefined : codecFor(compression, codecs);
  }

  *preamble(): ChunkTask<void> {
    const bytes = new Uint8Array(PREAMBLE_BYTES);
    const view = new DataView(bytes.buffer);
    bytes.set(MAGIC);
    view.setUint32(8, FORMAT_VERSION, true);
    view.setUint32(12, this.#wrapping.cipher === undefined ? 0 : FLAG_ENCRYPTED, true);
    bytes.set(this.#wrapping.salt, 16);
    yield* this.#out.write(bytes);
  }

  /** @param size bytes of all pieces together */
  *section(id: SectionId, size: number, pieces: Iterable<Uint8Array>): ChunkTask<void> {
    const header = new Uint8Array(SECTION_HEADER_BYTES);
    const view = new DataView(header.buffer);
    for (let i = 0; i < 4; i++) header[i] = id.charCodeAt(i);
    view.setBigUint64(8, BigInt(size), true);
    yield* this.#out.write(header);
    const plain = this.#codec === undefined && this.#wrapping.cipher === undefined;
    yield* plain ? this.#plainBlocks(size, pieces) : this.#wrappedBlocks(size, pieces);
  }

  /** Everything of the body has been written: what follows from it is the trailer. */
  *trailer(signer: Signer | undefined): ChunkTask<{ digest: Uint8Array; bytes: number }> {
    const { digest, bytes } = yield* this.#out.finish();
    const { publicKey, signature } = yield* signDigest(digest, signer);
    const trailer = new Uint8Array(TRAILER_BYTES);
    trailer.set(digest);
    trailer.set(publicKey, 32);
    trailer.set(signature, 64);
    trailer.set(yield* wait(this.#hasher.sha256(trailer.subarray(0, 128))), 128);
    yield trailer;
    return { digest, bytes: bytes + TRAILER_BYTES };
  }

  /** Blocks as they are: straight from the pieces, which need not be gathered. */
  *#plainBlocks(size: number, pieces: Iterable<Uint8Array>): ChunkTask<void> {
    let left = size;
    for (const part of cutIntoBlocks(size, pieces)) {
      if ((size - left) % BLOCK_BYTES === 0) {
        yield* this.#out.write(this.#blockHeader(Math.min(left, BLOCK_BYTES), 'none'));
      }
      left -= part.length;
      yield* this.#out.write(part);
    }
  }

  *#wrappedBlocks(size: number, pieces: Iterable<Uint8Array>): ChunkTask<void> {
    const block = new Uint8Array(Math.min(size, BLOCK_BYTES));
    let left = size;
    let used = 0;
    for (const part of cutIntoBlocks(size, pieces)) {
      block.set(part, used);
      used += part.length;
      left -= part.length;
      if (used < BLOCK_BYTES && left > 0) continue;
      yield* this.#wrappedBlock(block.subarray(0, used));
      used = 0;
    }
  }

  *#wrappedBlock(block: Uint8Array): ChunkTask<void> {
    const { cipher, compression, salt } = this.#wrapping;
    const compressed = this.#codec === undefined ? block : yield* wait(this.#codec.compress(block));
    const pays = compressed.length < block.length;
    let stored = pays ? compressed : block;
    if (cipher !== undefined) stored = yield* wait(cipher.seal(stored, { salt, index: this.#blocks }));
    if (stored.length > block.length + CIPHER_OVERHEAD) {
      throw new SnapshotError(unwritable(`its cipher adds more than ${CIPHER_OVERHEAD} bytes to a block`));
    }
    yield* this.#out.write(this.#blockHeader(stored.length, pays ? compression : 'none'));
    yield* this.#out.write(stored);
    if (compressed !== block) this.#codec?.release?.(compressed);
  }

  #blockHeader(stored: number, method: Compression): Uint8Array {
    const header = new Uint8Array(BLOCK_HEADER_BYTES);
    const view = new DataView(header.buffer);
    view.setUint32(0, stored, true);
    view.setUint32(4, blockMethods.indexOf(method), true);
    this.#blocks += 1;
    return header;
  }
}

/**
 * What a body can take at most, whatever its blocks are wrapped in.
 * @param contents bytes of content of each section
 */
export function mostBodyBytes(contents: readonly number[]): number {
  const blockCost = BLOCK_HEADER_BYTES + CIPHER_OVERHEAD;
  const sectionBytes = (size: number): number =>
    SECTION_HEADER_BYTES + size + Math.ceil(size / BLOCK_BYTES) * blockCost;
  return contents.reduce((sum, size) => sum + sectionBytes(size), PREAMBLE_BYTES);
}

/** The pieces, cut where a block ends; `size` bytes in all. Guest memory that grew meanwhile has lost its views. */
function* cutIntoBlocks(size: number, pieces: Iterable<Uint8Array>): Generator<Uint8Array, void, void> {
  let done = 0;
  for (const piece of pieces) {
    const pieceSize = piece.length;
    for (let at = 0; at < pieceSize; ) {
      if (piece.length !== pieceSize) throw sizeChanged();
      const part = piece.subarray(at, at + BLOCK_BYTES - (done % BLOCK_BYTES));
      at += part.length;
      done += part.length;
      yield part;
    }
  }
  if (done !== size) throw sizeChanged();
}
