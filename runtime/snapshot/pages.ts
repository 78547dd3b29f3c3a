/**
 * Memory as runs of 4 KiB pages. Fine pages make deltas small and find more empty ones; runs make the fineness free,
 * since neighbours travel as one piece of memory.
 */

import { PAGE_BYTES } from './format.js';

/**
 * `count` pages of 4 KiB from page `first`. Lists of runs stand for sets of pages, so that what is done with a set costs
 * as much as there is in it, however large the memory.
 */
export interface PageRun {
  readonly first: number;
  readonly count: number;
}

/** What is stored of one memory: the pages that have content, and (in a delta) those that became empty. */
export interface StoredPages {
  readonly data: readonly PageRun[];
  readonly zero: readonly PageRun[];
}

/**
 * What to store of a memory.
 * @param changed pages that can differ from the parent; undefined for a base, which needs no word about empty pages
 */
export function findStoredPages(memory: Uint8Array, changed: readonly PageRun[] | undefined): StoredPages {
  const data: { first: number; count: number }[] = [];
  const zero: { first: number; count: number }[] = [];
  const words = wordsOfMemory(memory);
  const pages = memory.length / PAGE_BYTES;
  for (const page of pagesIn(changed === undefined ? [{ first: 0, count: pages }] : uniteRuns(changed, pages))) {
    if (!isZeroPage(words, page)) addPage(data, page);
    else if (changed !== undefined) addPage(zero, page);
  }
  return { data, zero };
}

/** The numbers of the pages. */
export function* pagesIn(runs: Iterable<PageRun>): Generator<number, void, void> {
  for (const { first, count } of runs) {
    for (let page = first; page < first + count; page++) yield page;
  }
}

/** The same pages in runs that ascend and do not overlap or touch; those from page `end` on are left out. */
export function uniteRuns(runs: readonly PageRun[], end: number): PageRun[] {
  const united: { first: number; count: number }[] = [];
  for (const { first, count } of [...runs].sort((a, b) => a.first - b.first)) {
    const next = Math.min(first + count, end);
    const last = united.at(-1);
    if (last !== undefined && first <= last.first + last.count) last.count = Math.max(last.count, next - last.first);
    else if (next > first) united.push({ first, count: next - first });
  }
  return united;
}

export function countPages(runs: readonly PageRun[]): number {
  return runs.reduce((sum, run) => sum + run.count, 0);
}

/** The bytes of these pages, as views. Ends early when the memory lost its buffer, as guest memory that grows does. */
export function* bytesOfRuns(memory: Uint8Array, runs: readonly PageRun[]): Generator<Uint8Array, void, void> {
  const size = memory.length;
  for (const { first, count } of runs) {
    if (memory.length !== size) return;
    yield memory.subarray(first * PAGE_BYTES, (first + count) * PAGE_BYTES);
  }
}

/** Empties these pages. Pages that are empty already are not written to, so that the host need not provide them. */
export function clearPages(memory: Uint8Array, runs: Iterable<PageRun>): void {
  const words = wordsOfMemory(memory);
  for (const { first, count } of runs) {
    for (let page = first; page < first + count; page++) {
      if (!isZeroPage(words, page)) memory.fill(0, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    }
  }
}

/** The runs between `runs`, which ascend, up to page `end`. */
export function* gapsBetween(runs: readonly PageRun[], end: number): Generator<PageRun, void, void> {
  let next = 0;
  for (const { first, count } of runs) {
    if (first > next) yield { first: next, count: first - next };
    next = first + count;
  }
  if (end > next) yield { first: next, count: end - next };
}

/** Views of guest memory are aligned, since wasm memories start at the start of their buffers; others are copied. */
export function wordsOfMemory(memory: Uint8Array): Int32Array {
  const aligned = memory.byteOffset % 4 === 0 ? memory : memory.slice();
  return new Int32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4);
}

export function isZeroPage(words: Int32Array, page: number): boolean {
  const end = ((page + 1) * PAGE_BYTES) / 4;
  for (let at = end - PAGE_BYTES / 4; at < end; at += 8) {
    const any =
      (words[at] ?? 0) |
      (words[at + 1] ?? 0) |
      (words[at + 2] ?? 0) |
      (words[at + 3] ?? 0) |
      (words[at + 4] ?? 0) |
      (words[at + 5] ?? 0) |
      (words[at + 6] ?? 0) |
      (words[at + 7] ?? 0);
    if (any !== 0) return false;
  }
  return true;
}

/** Adds a page that comes after all others. */
export function addPage(runs: { first: number; count: number }[], page: number): void {
  const last = runs.at(-1);
  if (last !== undefined && last.first + last.count === page) last.count += 1;
  else runs.push({ first: page, count: 1 });
}
