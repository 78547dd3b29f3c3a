/**
 * Which pages changed since the last snapshot of a run, so that the next one can be a delta. Keeps 16 bytes per page of
 * 4 KiB (4 MiB for a guest of 1 GiB), never the pages themselves.
 */

import { PAGE_BYTES } from './format.js';
import { HASH_WORDS, hashPage } from './page-hash.js';
import { addPage, countPages, type PageRun, pagesIn, uniteRuns, wordsOfMemory } from './pages.js';
import type { MemoryImage } from './snapshot.js';

export interface PageChanges {
  /** Per memory the pages that differ from the accepted state: all that have content, when there is none yet. */
  readonly changed: readonly (readonly PageRun[])[];
  /** How many pages were compared to find them: what it cost. */
  readonly compared: number;
  /** Makes the state that was looked at the one to compare with: to be called when the snapshot is safely written. */
  accept(): void;
}

export class PageTracker {
  /** Per memory the hashes of its pages; undefined before anything was accepted. */
  #accepted: readonly Int32Array[] | undefined;
  /** Per memory what was suspected in looks that were not accepted: still suspect in the next one. `all` beats it. */
  #suspects: readonly (readonly PageRun[])[] | 'all' = [];

  /**
   * Looks for pages that are not as they were.
   * @param suspects per memory the pages that can have changed since the last look, where that is known; only these are
   *   compared. Without it, all pages are
   */
  changes(memories: readonly MemoryImage[], suspects?: readonly (readonly PageRun[])[]): PageChanges {
    const before = this.#suspects;
    this.#suspects =
      suspects === undefined || before === 'all'
        ? 'all'
        : memories.map((_, index) => [...(before[index] ?? []), ...(suspects[index] ?? [])]);
    const suspected = this.#suspects;
    const looks = memories.map(({ bytes }, index) => {
      const accepted = this.#accepted?.[index];
      const pages = bytes.length / PAGE_BYTES;
      const all = accepted === undefined || suspected === 'all';
      return comparePages(
        bytes,
        accepted,
        all ? [{ first: 0, count: pages }] : uniteRuns(suspected[index] ?? [], pages),
      );
    });
    return {
      changed: looks.map((look) => look.changed),
      compared: looks.reduce((sum, look) => sum + countPages(look.compared), 0),
      accept: () => {
        this.#accepted = looks.map((look) => look.accept());
        this.#suspects = [];
      },
    };
  }
}

/**
 * The pages that dirty bits (`mvvm.take_dirty`, docs/abi.md) make suspect.
 * @param bits bit n stands for the bytes from `n << shift`; regions beyond the 64th count from 0 again
 * @param end number of pages of the memory
 */
export function dirtyPages(shift: number, bits: bigint, end: number): PageRun[] {
  const region = 2 ** shift;
  const runs: PageRun[] = [];
  for (let n = 0; n * region < end * PAGE_BYTES; n++) {
    if (((bits >> BigInt(n % 64)) & 1n) === 0n) continue;
    const first = Math.floor((n * region) / PAGE_BYTES);
    // A mark stands for the bytes from an address on, as many as a page has; that of the last byte reaches this far.
    const last = Math.floor(((n + 1) * region + PAGE_BYTES - 2) / PAGE_BYTES);
    runs.push({ first, count: last - first + 1 });
  }
  // Addresses come round: behind the last region that there can be is the first page.
  if ((bits >> 63n) & 1n) runs.push({ first: 0, count: 1 });
  return uniteRuns(runs, end);
}

interface Look {
  readonly compared: readonly PageRun[];
  readonly changed: readonly PageRun[];
  /** The hashes of all pages as they are now. Changes those of before. */
  accept(): Int32Array;
}

function comparePages(memory: Uint8Array, before: Int32Array | undefined, compared: readonly PageRun[]): Look {
  const words = wordsOfMemory(memory);
  const hashes = new Int32Array(countPages(compared) * HASH_WORDS);
  const changed: { first: number; count: number }[] = [];
  let at = 0;
  for (const page of pagesIn(compared)) {
    hashPage(words, page, hashes, at);
    if (differ(hashes, at, before, page * HASH_WORDS)) addPage(changed, page);
    at += HASH_WORDS;
  }
  const accept = (): Int32Array => {
    const now = grown(before, (memory.length / PAGE_BYTES) * HASH_WORDS);
    let from = 0;
    for (const { first, count } of compared) {
      now.set(hashes.subarray(from, from + count * HASH_WORDS), first * HASH_WORDS);
      from += count * HASH_WORDS;
    }
    return now;
  };
  return { compared, changed, accept };
}

/** Pages that were not there before were empty, and so are their hashes. */
function differ(hashes: Int32Array, at: number, before: Int32Array | undefined, there: number): boolean {
  for (let word = 0; word < HASH_WORDS; word++) {
    if (hashes[at + word] !== (before?.[there + word] ?? 0)) return true;
  }
  return false;
}

function grown(hashes: Int32Array | undefined, length: number): Int32Array {
  if (hashes?.length === length) return hashes;
  const larger = new Int32Array(length);
  if (hashes !== undefined) larger.set(hashes);
  return larger;
}
