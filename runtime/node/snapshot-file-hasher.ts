/**
 * SHA-256 of the pieces of a snapshot on two threads. Hashing is what takes longest when a large memory is written or
 * read; a helper thread takes what it can, and whatever finds the helper busy (or not there yet) is hashed here. So a
 * helper that starts late, or never, costs time and nothing else.
 */

import { createHash, type Hash } from 'node:crypto';
import type { PieceHasher } from '../snapshot/index.js';
import { type HashRing, slotState } from './snapshot-file-hash-ring.js';
import { type Helper, takeHelper } from './snapshot-file-helper.js';

/** Smaller snapshots are hashed before a thread has started. */
const WORTH_A_THREAD = 32 << 20;

/** A piece takes a millisecond. A helper that needs this long has died. */
const PATIENCE_MS = 2_000;

/**
 * `set` copies to shared memory byte by byte where both sides are not aligned alike (to 8 bytes), five times as slowly, and
 * `fill` is the system's way to copy. Not in Deno, whose `fill` is a loop of its own, twenty times as slow.
 */
const copyToShared: (to: Buffer, bytes: Uint8Array, at: number) => void =
  'deno' in process.versions
    ? (to, bytes, at) => to.set(bytes, at)
    : (to, bytes, at) => {
        if (bytes.length > 0) to.fill(bytes, at, at + bytes.length);
      };

/** SHA-256 as Node has it, with a helper thread for large snapshots. */
export const nodeHasher = (bytes: number): SharedHasher =>
  new SharedHasher(bytes < WORTH_A_THREAD ? undefined : takeHelper());

export class SharedHasher implements PieceHasher {
  #helper: Helper | undefined;
  readonly #digests: Uint8Array[] = [];
  /** Which piece is in which slot, oldest first. */
  readonly #inRing: { readonly slot: number; readonly piece: number }[] = [];

  /** The slot for the piece that has begun, or its hash when it is hashed here. */
  #current: number | Hash = 0;

  constructor(helper: Helper | undefined) {
    this.#helper = helper;
  }

  /**
   * Takes the bytes from where they are used, into the ring when the helper has room. A file is not read into the ring:
   * processors of AMD copy four times as slowly to an address that is up to 31 bytes further into its page than the source
   * is into its own, and most allocators give large memory that begins 16 bytes into a page.
   */
  beginPiece(): (bytes: Uint8Array) => void {
    this.#collect(0);
    const slot = this.#helper?.freeSlot();
    if (this.#helper !== undefined && slot !== undefined) {
      this.#current = slot;
      const place = this.#helper.ring.placeIn(slot);
      let end = 0;
      return (bytes) => {
        copyToShared(place, bytes, end);
        end += bytes.length;
      };
    }
    const hash = createHash('sha256');
    this.#current = hash;
    return (bytes) => hash.update(bytes);
  }

  endPiece(length: number): void {
    if (typeof this.#current === 'object') {
      this.#digests.push(this.#current.digest());
      return;
    }
    this.#helper?.publish(this.#current, length);
    this.#inRing.push({ slot: this.#current, piece: this.#digests.length });
    this.#digests.push(PENDING);
  }

  finish(): Uint8Array {
    this.close();
    return Buffer.concat(this.#digests);
  }

  sha256(bytes: Uint8Array): Uint8Array {
    return createHash('sha256').update(bytes).digest();
  }

  /** Waits until the helper has nothing of ours any more, and lets it go. */
  close(): void {
    this.#collect(PATIENCE_MS);
    if (this.#helper === undefined) return;
    if (this.#inRing.length === 0) {
      this.#helper.release();
    } else {
      this.#hashRest(this.#helper.ring);
      this.#helper.dismiss();
    }
    this.#helper = undefined;
  }

  /** Takes digests out of the ring, oldest first, waiting at most so long for each. */
  #collect(patience: number): void {
    const ring = this.#helper?.ring;
    for (;;) {
      const [oldest] = this.#inRing;
      if (ring === undefined || oldest === undefined) return;
      if (!ring.waitWhileNot(oldest.slot, slotState.hashed, patience)) return;
      this.#digests[oldest.piece] = ring.digestOf(oldest.slot).slice();
      ring.setState(oldest.slot, slotState.free);
      this.#inRing.shift();
    }
  }

  /** The pieces are still in the ring of a helper that died. */
  #hashRest(ring: HashRing): void {
    for (const { slot, piece } of this.#inRing.splice(0)) this.#digests[piece] = this.sha256(ring.pieceIn(slot));
  }
}

/** Stands in the list until the helper has the digest. */
const PENDING = new Uint8Array();
