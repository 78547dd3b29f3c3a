/**
 * The digest that names a snapshot: the SHA-256 of the SHA-256s of its pieces of 1 MiB.
 *
 * Two levels instead of one long hash, because no browser can hash incrementally and because the pieces can be hashed
 * side by side: hashing is what takes longest when a large memory is written or read.
 */

import { encodeUtf8 } from '../abi/index.js';
import { DIGEST_TAG, PIECE_BYTES } from './format.js';
import { sha256 } from './sha256.js';
import { type MaybePromise, type Task, wait } from './wait.js';

/** Hashes the pieces of one file, given in order. */
export interface PieceHasher {
  /**
   * The next piece begins. Answers with what is to be done with its bytes: put them at the start of this array, for
   * hashers that hash a piece where it is, or give them to this function in order, wherever they are.
   *
   * An array has 1 MiB, or less where the whole file is smaller. From `endPiece` until the next piece begins it must not
   * change.
   */
  beginPiece(): Uint8Array | ((bytes: Uint8Array) => void);
  /** The piece has these many bytes, and they are all there. */
  endPiece(length: number): MaybePromise<void>;
  /** The SHA-256 of every piece, one behind the other, in order. */
  finish(): MaybePromise<Uint8Array>;
  /** SHA-256 of a few bytes. */
  sha256(bytes: Uint8Array): MaybePromise<Uint8Array>;
  /** Nothing more is wanted, whether it was finished or not. */
  close?(): void;
}

/** Makes a hasher for a file of at most `bytes` bytes. */
export type HasherFactory = (bytes: number) => PieceHasher;

/** A hasher that applies a SHA-256 function to each piece at once. */
export function hasherFrom(hash: (bytes: Uint8Array) => MaybePromise<Uint8Array>): HasherFactory {
  return (bytes) => {
    // Most snapshots are small, and 1 MiB of zeros is not free.
    const piece = new Uint8Array(Math.min(PIECE_BYTES, bytes));
    const digests: Uint8Array[] = [];
    const keep = (digest: Uint8Array): void => {
      digests.push(digest);
    };
    return {
      beginPiece: () => piece,
      endPiece(length) {
        const digest = hash(piece.subarray(0, length));
        return 'then' in digest ? digest.then(keep) : keep(digest);
      },
      finish: () => concatenate(digests),
      sha256: hash,
    };
  };
}

/** Needs nothing of its host, and is several times slower than what a host has built in. */
export const plainHasher: HasherFactory = hasherFrom(sha256);

/** Web Crypto, as browsers, Node, Deno and Bun have it. Asynchronous. */
export const webHasher: HasherFactory = hasherFrom(async (bytes) => {
  // A copy, whose type says that its memory is not shared, which Web Crypto refuses.
  return new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(bytes)));
});

/** The digest of a file's body (all before the trailer) of `bytes` bytes that `hasher` was given. */
export function* bodyDigest(hasher: PieceHasher, bytes: number): Task<Uint8Array> {
  const pieces = yield* wait(hasher.finish());
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(bytes), true);
  return yield* wait(hasher.sha256(concatenate([encodeUtf8(DIGEST_TAG), length, pieces])));
}

export function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
