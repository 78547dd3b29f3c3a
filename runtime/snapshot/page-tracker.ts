/**
 * Which pages changed since the last snapshot of a run, so that the next one can be a delta. Keeps 16 bytes per page of
 * 4 KiB (4 MiB for a guest of 1 GiB), never the pages themselves.
 */

import { PAGE_BYTES } from './format.js';
import { clearPageHash, HASH_WORDS, updatePageHash } from './page-hash.js';
import { isZeroPage, type PageSet, wordsOfMemory } from './pages.js';
import type { MemoryImage } from './snapshot.js';

export interface PageChanges {
  /** Per memory the pages that differ from the accepted state: all that have content, when there is none yet. */
  readonly changed: readonly PageSet[];
  /** Makes the state that was looked at the one to compare with: to be called when the snapshot is safely written. */
  accept(): void;
}

export class PageTracker {
  #accepted: readonly Int32Array[] = [];
  /** What was suspected in looks that were not accepted: still suspect in the next one. */
  #suspects: (readonly PageSet[])[] = [];

  /**
   * @param suspects per memory the pages that can have changed since the last look, where the module itself knows
   *   (`dirtyPages`); only these are compared. Without it, all pages are.
   */
  changes(memories: readonly MemoryImage[], suspects?: readonly PageSet[]): PageChanges {
    this.#suspects.push(suspects ?? memories.map(() => ({ has: () => true })));
    const looks = memories.map(({ bytes }, index) => {
      const suspected = this.#suspects.map((sets) => sets[index]);
      return compareMemory(bytes, this.#accepted[index], (page) => suspected.some((set) => set?.has(page) !== false));
    });
    return {
      changed: looks.map((look) => look.changed),
      accept: () => {
        this.#accepted = looks.map((look) => look.hashes);
        this.#suspects = [];
      },
    };
  }
}

/**
 * The pages that dirty bits (`mvvm.take_dirty`, docs/abi.md) make suspect.
 * @param bits bit n stands for the bytes from `n << shift`
 */
export function dirtyPages(shift: number, bits: bigint): PageSet {
  const region = 2 ** shift;
  return {
    has(page) {
      // A store that begins in the region before and ends in this page has marked the region before only.
      const first = Math.floor(Math.max(0, page * PAGE_BYTES - WIDEST_STORE + 1) / region);
      const last = Math.floor(((page + 1) * PAGE_BYTES - 1) / region);
      for (let n = first; n <= last; n++) if (((bits >> BigInt(n % 64)) & 1n) === 1n) return true;
      return false;
    },
  };
}

/** Bytes of a v128. */
const WIDEST_STORE = 16;

function compareMemory(
  memory: Uint8Array,
  before: Int32Array | undefined,
  suspect: (page: number) => boolean,
): { hashes: Int32Array; changed: PageSet } {
  const pages = memory.length / PAGE_BYTES;
  const words = wordsOfMemory(memory);
  const hashes = new Int32Array(pages * HASH_WORDS);
  if (before !== undefined) hashes.set(before.subarray(0, hashes.length));
  const changed = new Uint8Array(pages);
  for (let page = 0; page < pages; page++) {
    if (before !== undefined && !suspect(page)) continue;
    const differs = isZeroPage(words, page) ? clearPageHash(page, hashes) : updatePageHash(words, page, hashes);
    if (differs) changed[page] = 1;
  }
  return { hashes, changed: { has: (page) => changed[page] === 1 } };
}
