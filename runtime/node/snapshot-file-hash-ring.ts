/**
 * Memory that two threads share while one writes or reads a snapshot and the other helps it to hash: a ring of slots,
 * each a piece of at most 1 MiB on its way to its hash.
 *
 *   words   helper is there | per slot: state | per slot: bytes in it
 *   digests 32 bytes per slot
 *   pieces  1 MiB per slot
 *
 * A slot goes from free to full (by the owner), to hashed (by the helper), to free (by the owner).
 */

import { setImmediate } from 'node:timers/promises';

export const SLOTS = 4;
export const PIECE_BYTES: number = 1 << 20;
const DIGEST_BYTES = 32;
const WORDS = 1 + 2 * SLOTS;
const DIGESTS_AT = 4 * WORDS;
const PIECES_AT = 512;

export const RING_BYTES: number = PIECES_AT + PIECE_BYTES * SLOTS;

export const slotState = { free: 0, full: 1, hashed: 2 } as const;
export type SlotState = (typeof slotState)[keyof typeof slotState];

export class HashRing {
  readonly #words: Int32Array;
  readonly #shared: SharedArrayBuffer;

  constructor(shared: SharedArrayBuffer) {
    this.#shared = shared;
    this.#words = new Int32Array(shared, 0, WORDS);
  }

  announceHelper(): void {
    Atomics.store(this.#words, 0, 1);
  }

  get hasHelper(): boolean {
    return Atomics.load(this.#words, 0) === 1;
  }

  isIn(slot: number, state: SlotState): boolean {
    return Atomics.load(this.#words, 1 + slot) === state;
  }

  setState(slot: number, state: SlotState): void {
    Atomics.store(this.#words, 1 + slot, state);
    Atomics.notify(this.#words, 1 + slot);
  }

  /** Lets the event loop turn once, and until the slot is in that state. */
  async comesInto(slot: number, state: SlotState): Promise<void> {
    await setImmediate();
    for (;;) {
      const now = Atomics.load(this.#words, 1 + slot);
      if (now === state) return;
      const change = Atomics.waitAsync(this.#words, 1 + slot, now);
      if (change.async) await change.value;
    }
  }

  /** Sleeps until the slot is in that state, or for about so many milliseconds. Says whether it is. */
  waitWhileNot(slot: number, state: SlotState, milliseconds: number = Number.POSITIVE_INFINITY): boolean {
    for (;;) {
      const now = Atomics.load(this.#words, 1 + slot);
      if (now === state) return true;
      if (Atomics.wait(this.#words, 1 + slot, now, milliseconds) === 'timed-out') return this.isIn(slot, state);
    }
  }

  /** The whole slot, to put a piece at its start. */
  placeIn(slot: number): Buffer {
    return Buffer.from(this.#shared, PIECES_AT + slot * PIECE_BYTES, PIECE_BYTES);
  }

  /** Hands the first `length` bytes of a slot to the helper. */
  publish(slot: number, length: number): void {
    this.#words[1 + SLOTS + slot] = length;
    this.setState(slot, slotState.full);
  }

  pieceIn(slot: number): Uint8Array {
    return new Uint8Array(this.#shared, PIECES_AT + slot * PIECE_BYTES, this.#words[1 + SLOTS + slot] ?? 0);
  }

  digestOf(slot: number): Uint8Array {
    return new Uint8Array(this.#shared, DIGESTS_AT + slot * DIGEST_BYTES, DIGEST_BYTES);
  }
}
