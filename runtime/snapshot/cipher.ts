/** Encryption hook: a pair of functions over blocks. The format defines where blocks are sealed, not how. */

import { SALT_BYTES } from './format.js';
import type { MaybePromise } from './wait.js';

/** Where a block stands. No two blocks share one, so a cipher can make its nonce or associated data of it. */
export interface BlockPosition {
  /** 16 random bytes of this snapshot. */
  readonly salt: Uint8Array;
  /** Number of the block in the whole file, from 0. */
  readonly index: number;
}

export interface BlockCipher {
  /** Encrypts a block; the result is at most 1024 bytes longer. It should be authenticated and bound to the position. */
  seal(block: Uint8Array, position: BlockPosition): MaybePromise<Uint8Array>;
  /** The inverse; throws when the key is wrong or the block was changed or moved. */
  open(block: Uint8Array, position: BlockPosition): MaybePromise<Uint8Array>;
}

export function randomSalt(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(SALT_BYTES));
}
