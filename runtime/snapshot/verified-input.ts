/**
 * The bytes of a snapshot, each read exactly once, and hashed where they are used from. So what is verified in the end is
 * what was used, even when a file changes while it is read.
 */

import { bodyDigest, type PieceHasher, sameBytes, toHex } from './digest.js';
import { badDigest, SnapshotError, truncated } from './errors.js';
import { CHUNK_BYTES, PIECE_BYTES, PREAMBLE_BYTES, SECTION_HEADER_BYTES, TRAILER_BYTES } from './format.js';
import { PUBLIC_KEY_BYTES, type SignatureFields } from './signature.js';
import type { SnapshotSource } from './source.js';
import { type Task, wait } from './wait.js';

/** No snapshot is shorter. */
export const MINIMUM_BYTES: number = PREAMBLE_BYTES + 5 * SECTION_HEADER_BYTES + TRAILER_BYTES;

/** For less, so much is read ahead: each reading costs a call of the system. */
const READ_AHEAD_BYTES: number = 1 << 16;

export class VerifiedInput {
  readonly #source: SnapshotSource;
  readonly #hasher: PieceHasher;
  readonly #bodyBytes: number;
  /** Bytes that were loaded ahead: chunk by chunk the piece itself when it has a place, else a part of it. */
  #ahead: Uint8Array = new Uint8Array();
  #at = 0;
  readonly #own: Uint8Array;
  #piece: ReturnType<PieceHasher['beginPiece']> | undefined;
  /** Bytes of the current piece that were loaded. */
  #ofPiece = 0;
  /** Bytes of the body that were loaded. */
  #loaded = 0;

  /** @param source of at least {@link MINIMUM_BYTES} bytes */
  constructor(source: SnapshotSource, hasher: PieceHasher) {
    this.#source = source;
    this.#hasher = hasher;
    this.#bodyBytes = source.size - TRAILER_BYTES;
    this.#own = new Uint8Array(Math.min(READ_AHEAD_BYTES, this.#bodyBytes));
  }

  /** Bytes of the body (all before the trailer) that were not read yet. */
  get left(): number {
    return this.#bodyBytes - this.#position;
  }

  /** @throws {SnapshotError} `snapshot/truncated` when the body has fewer bytes left */
  *fill(into: Uint8Array): Task<void> {
    if (into.length > this.left) throw new SnapshotError(truncated(this.#source.size, this.#position + into.length));
    for (let filled = 0; filled < into.length; ) {
      const rest = into.subarray(filled);
      const part = this.#ahead.subarray(this.#at, this.#at + rest.length);
      if (part.length > 0) {
        rest.set(part);
        this.#at += part.length;
        filled += part.length;
      } else {
        filled += yield* this.#load(rest);
      }
    }
  }

  *take(length: number): Task<Uint8Array> {
    const bytes = new Uint8Array(length);
    yield* this.fill(bytes);
    return bytes;
  }

  *skip(length: number): Task<void> {
    if (length > this.left) throw new SnapshotError(truncated(this.#source.size, this.#position + length));
    for (let skipped = 0; skipped < length; ) {
      if (this.#at === this.#ahead.length) yield* this.#load();
      const step = Math.min(this.#ahead.length - this.#at, length - skipped);
      skipped += step;
      this.#at += step;
    }
  }

  /**
   * Reads whatever is left, and the trailer, and compares.
   * @throws {SnapshotError} `snapshot/digest`
   */
  *verify(): Task<{ digest: Uint8Array; signature: SignatureFields }> {
    while (this.#loaded < this.#bodyBytes) yield* this.#load();
    this.#at = this.#ahead.length;
    const trailer = new Uint8Array(TRAILER_BYTES);
    yield* this.#read(trailer);
    const stored = trailer.subarray(0, 32);
    const digest = yield* bodyDigest(this.#hasher, this.#bodyBytes);
    if (!sameBytes(digest, stored)) {
      throw new SnapshotError(badDigest(`${toHex(digest)} instead of ${toHex(stored)}`));
    }
    const check = yield* wait(this.#hasher.sha256(trailer.subarray(0, 128)));
    if (!sameBytes(check, trailer.subarray(128))) throw new SnapshotError(badDigest('in its trailer'));
    const publicKey = trailer.subarray(32, 32 + PUBLIC_KEY_BYTES);
    return { digest, signature: { publicKey, signature: trailer.subarray(32 + PUBLIC_KEY_BYTES, 128) } };
  }

  get #position(): number {
    return this.#loaded - this.#ahead.length + this.#at;
  }

  /**
   * Reads a chunk, or of a piece that has no place: straight into `into` if that is large, else a little ahead.
   * @returns how many bytes were put there
   */
  *#load(into?: Uint8Array): Task<number> {
    this.#piece ??= this.#hasher.beginPiece();
    const size = Math.min(CHUNK_BYTES - (this.#loaded % CHUNK_BYTES), this.#bodyBytes - this.#loaded);
    const isDirect = typeof this.#piece === 'function' && into !== undefined && into.length >= READ_AHEAD_BYTES;
    const chunk = isDirect ? into.subarray(0, size) : this.#placeOf(this.#piece, size);
    yield* this.#read(chunk);
    if (typeof this.#piece === 'function') this.#piece(chunk);
    this.#ahead = isDirect ? new Uint8Array() : chunk;
    this.#at = 0;
    this.#loaded += chunk.length;
    this.#ofPiece += chunk.length;
    if (this.#ofPiece === PIECE_BYTES || this.#loaded === this.#bodyBytes) yield* this.#endPiece();
    return isDirect ? chunk.length : 0;
  }

  #placeOf(piece: ReturnType<PieceHasher['beginPiece']>, size: number): Uint8Array {
    return typeof piece === 'function'
      ? this.#own.subarray(0, size)
      : piece.subarray(this.#ofPiece, this.#ofPiece + size);
  }

  *#endPiece(): Task<void> {
    yield* wait(this.#hasher.endPiece(this.#ofPiece));
    this.#piece = undefined;
    this.#ofPiece = 0;
  }

  *#read(into: Uint8Array): Task<void> {
    for (let filled = 0; filled < into.length; ) {
      const count = yield* wait(this.#source.read(into.subarray(filled)));
      if (count === 0) throw new SnapshotError(badDigest('it became shorter while it was being read'));
      filled += count;
    }
  }
}
