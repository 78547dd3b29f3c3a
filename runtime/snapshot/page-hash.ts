/**
 * A hash of 128 bits for finding out which pages changed: four lanes of the MurmurHash3 kind, several times faster than
 * SHA-256 in plain TypeScript. It guards against chance (2^-128 a page), not against an adversary: a guest that works
 * out a collision spoils its own snapshots only. Hashes never leave the process.
 */

import { PAGE_BYTES } from './format.js';
import { isZeroPage } from './pages.js';

const WORDS = PAGE_BYTES / 4;
/** Words that one hash takes. */
export const HASH_WORDS = 4;

/** Puts the hash of a page at `hashes[at]` and the three words behind. That of an empty page is zero. */
export function hashPage(memory: Int32Array, page: number, hashes: Int32Array, at: number): void {
  // Memory that was never touched costs no hashing.
  if (isZeroPage(memory, page)) {
    hashes.fill(0, at, at + HASH_WORDS);
    return;
  }
  let a = 0x239b961b;
  let b = 0x38b34ae5;
  let c = 0x7a5d3c19;
  let d = 0x1b873593;
  const end = (page + 1) * WORDS;
  for (let word = page * WORDS; word < end; word += 4) {
    a ^= Math.imul(rotate(Math.imul(memory[word] ?? 0, 0x239b961b), 15), 0xab0e9789 | 0);
    a = (Math.imul(rotate(a, 19) + b, 5) + 0x561ccd1b) | 0;
    b ^= Math.imul(rotate(Math.imul(memory[word + 1] ?? 0, 0xab0e9789 | 0), 16), 0x38b34ae5);
    b = (Math.imul(rotate(b, 17) + c, 5) + 0x0bcaa747) | 0;
    c ^= Math.imul(rotate(Math.imul(memory[word + 2] ?? 0, 0x38b34ae5), 17), 0xa1e38b93 | 0);
    c = (Math.imul(rotate(c, 15) + d, 5) + 0x96cd1c35) | 0;
    d ^= Math.imul(rotate(Math.imul(memory[word + 3] ?? 0, 0xa1e38b93 | 0), 18), 0x239b961b);
    d = (Math.imul(rotate(d, 13) + a, 5) + 0x32ac3b17) | 0;
  }
  hashes[at] = mixed(a + b);
  hashes[at + 1] = mixed(b + c);
  hashes[at + 2] = mixed(c + d);
  hashes[at + 3] = mixed(d + a);
}

/** Murmur's last step: every bit of the lane reaches every bit of the result. */
function mixed(lane: number): number {
  let value = lane ^ (lane >>> 16);
  value = Math.imul(value, 0x85ebca6b | 0);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2ae35 | 0);
  return value ^ (value >>> 16);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
