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
   * A place for the next piece, for hashers whose other threads can then hash it where it is: 1 MiB, or less where the
   * whole file is smaller. After `add` it must not change until the next place is asked for.
   */
  place?(): Uint8Array;
  /** Takes the next piece. When this has returned, or its promise is fulfilled, bytes elsewhere may change again. */
  add(piece: Uint8Array): MaybePromise<void>;
  /** The SHA-256 of every piece, one behind the other, in order. */
  finish(): MaybePromise<Uint8Array>;
  /** SHA-256 of a few bytes. */
  sha256(bytes: Uint8Array): MaybePromise<Uint8Array>;
  /** Nothing more is wanted, whether it was finished or not. */
  close?(): void;
}

/**
 * Where the next piece goes: the hasher's place, or the one that was used before.
 * @param bytes what the hasher was made for
 */
export function nextPlace(hasher: PieceHasher, bytes: number, before?: Uint8Array): Uint8Array {
  return hasher.place?.() ?? before ?? new Uint8Array(placeBytes(bytes));
}

/** Bytes of a place for pieces of a file of `bytes` bytes: most snapshots are small, and 1 MiB of zeros is not free. */
export function placeBytes(bytes: number): number {
  return Math.min(PIECE_BYTES, bytes);
}

/** Makes a hasher for a file of at most `bytes` bytes. */
export type HasherFactory = (bytes: number) => PieceHasher;

/** A hasher that applies a SHA-256 function to each piece at once. */
export function hasherFrom(hash: (bytes: Uint8Array) => MaybePromise<Uint8Array>): HasherFactory {
  return () => {
    const pieces: Uint8Array[] = [];
    const keep = (digest: Uint8Array): void => {
      pieces.push(digest);
    };
    return {
      add(piece) {
        const digest = hash(piece);
        return 'then' in digest ? digest.then(keep) : keep(digest);
      },
      finish: () => concatenate(pieces),
      sha256: hash,
    };
  };
}

/** Needs nothing of its host, and is several times slower than what a host has built in. */
export const plainHasher: HasherFactory = hasherFrom(sha256);

/** Web Crypto, as browsers, Node, Deno and Bun have it. Asynchronous. */
export const webHasher: HasherFactory = hasherFrom(async (bytes) => {
  // A copy: Web Crypto refuses views of shared memory.
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
