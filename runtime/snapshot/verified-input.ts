/**
 * The bytes of a snapshot, each read exactly once and hashed before anyone sees it. So what is verified in the end is
 * what was used, even when a file changes while it is read.
 */

import { bodyDigest, nextPlace, type PieceHasher, sameBytes, toHex } from './digest.js';
import { badDigest, SnapshotError, truncated } from './errors.js';
import { PIECE_BYTES, PREAMBLE_BYTES, SECTION_HEADER_BYTES, TRAILER_BYTES } from './format.js';
import { PUBLIC_KEY_BYTES, type SignatureFields } from './signature.js';
import type { SnapshotSource } from './source.js';
import { type Task, wait } from './wait.js';

/** No snapshot is shorter. */
export const MINIMUM_BYTES: number = PREAMBLE_BYTES + 5 * SECTION_HEADER_BYTES + TRAILER_BYTES;

export class VerifiedInput {
  readonly #source: SnapshotSource;
  readonly #hasher: PieceHasher;
  readonly #bodyBytes: number;
  #piece: Uint8Array | undefined;
  /** Bytes of the body that were loaded so far; the current piece is the last of them. */
  #loaded = 0;
  #at = 0;
  #end = 0;

  /** @param source of at least {@link MINIMUM_BYTES} bytes */
  constructor(source: SnapshotSource, hasher: PieceHasher) {
    this.#source = source;
    this.#hasher = hasher;
    this.#bodyBytes = source.size - TRAILER_BYTES;
  }

  /** Bytes of the body (all before the trailer) that were not read yet. */
  get left(): number {
    return this.#bodyBytes - this.#loaded + this.#end - this.#at;
  }

  /** @throws {SnapshotError} `snapshot/truncated` when the body has fewer bytes left */
  *fill(into: Uint8Array): Task<void> {
    if (into.length > this.left) throw new SnapshotError(truncated(this.#source.size, this.#position + into.length));
    for (let filled = 0; filled < into.length; ) {
      if (this.#at === this.#end) yield* this.#load();
      const part = this.#available(into.length - filled);
      into.set(part, filled);
      filled += part.length;
      this.#at += part.length;
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
      if (this.#at === this.#end) yield* this.#load();
      const step = Math.min(this.#end - this.#at, length - skipped);
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
    this.#at = this.#end;
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
    return this.#loaded - this.#end + this.#at;
  }

  /** What of the current piece was not read yet, at most `length` bytes. */
  #available(length: number): Uint8Array {
    return this.#piece?.subarray(this.#at, Math.min(this.#end, this.#at + length)) ?? new Uint8Array();
  }

  *#load(): Task<void> {
    this.#end = Math.min(PIECE_BYTES, this.#bodyBytes - this.#loaded);
    this.#at = 0;
    this.#piece = nextPlace(this.#hasher, this.#source.size, this.#piece);
    const piece = this.#piece.subarray(0, this.#end);
    yield* this.#read(piece);
    yield* wait(this.#hasher.add(piece));
    this.#loaded += this.#end;
  }

  *#read(into: Uint8Array): Task<void> {
    for (let filled = 0; filled < into.length; ) {
      const count = yield* wait(this.#source.read(into.subarray(filled)));
      if (count === 0) throw new SnapshotError(badDigest('it became shorter while it was being read'));
      filled += count;
    }
  }
}
