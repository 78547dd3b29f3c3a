/** Memories out of a snapshot: into new arrays or straight into the guest's, from nothing or on top of a parent. */

import {
  badSection,
  badTarget,
  chainChanged,
  malformed,
  needsParent,
  outOfMemory,
  SnapshotError,
  wrongParent,
} from './errors.js';
import { PAGE_BYTES } from './format.js';
import type { SnapshotHeader } from './header.js';
import { wordsOfBytes } from './little-endian.js';
import { bytesOfRuns, clearPages, countPages, gapsBetween, type PageRun, type StoredPages } from './pages.js';
import type { SectionReader } from './section-reader.js';
import { type MemoryImage, type StoredSnapshot, WASM_PAGE } from './snapshot.js';
import type { Task } from './wait.js';

/**
 * Gives the place for memory `index`: exactly `pages * 65536` bytes. In a chain it is asked once per link, for more
 * pages where the memory grew, and what was there must be kept (as `WebAssembly.Memory.grow` does).
 */
export type TargetMemory = (index: number, pages: number) => Uint8Array;

/**
 * A base continues nothing; a delta continues the snapshot it names, of the same module, and no memory has shrunk.
 * @throws {SnapshotError} `snapshot/needs-parent`, `snapshot/wrong-parent`
 */
export function checkContinuation(header: SnapshotHeader, previous: StoredSnapshot | undefined): void {
  if (previous === undefined) {
    if (header.parent !== undefined) throw new SnapshotError(needsParent(header.parent));
    return;
  }
  if (header.parent !== previous.digest) throw new SnapshotError(wrongParent(previous.digest, header.parent ?? ''));
  if (header.module.hash !== previous.module.hash) throw new SnapshotError(chainChanged('it is of another module'));
  if (header.memories.length !== previous.memories.length) {
    throw new SnapshotError(chainChanged('it has another number of memories'));
  }
  previous.memories.forEach(({ pages }, index) => {
    const now = header.memories[index] ?? 0;
    if (now < pages) throw new SnapshotError(chainChanged(`memory ${index} shrank from ${pages} to ${now} pages`));
  });
}

export function* readMemory(
  sections: SectionReader,
  index: number,
  pages: number,
  target: TargetMemory | undefined,
  previous: StoredSnapshot | undefined,
): Task<MemoryImage> {
  const size = pages * WASM_PAGE;
  const end = size / PAGE_BYTES;
  // At most every second page begins a run, of 8 bytes.
  yield* sections.open('MEMO', size + 8 + 8 * end);
  const stored = yield* readRunTable(sections, end);
  if (previous === undefined && stored.zero.length > 0) {
    throw new SnapshotError(malformed('lists empty pages, which only a delta does'));
  }
  if (sections.left !== countPages(stored.data) * PAGE_BYTES) {
    throw new SnapshotError(badSection(`has ${sections.left} bytes of pages for ${countPages(stored.data)} pages`));
  }

  const before = previous?.memories[index];
  const bytes = target === undefined ? newMemory(size, before?.bytes) : target(index, pages);
  if (bytes.length !== size) throw new SnapshotError(badTarget(index, size, bytes.length));
  if (previous !== undefined) clearPages(bytes, stored.zero);
  else if (target !== undefined) clearPages(bytes, gapsBetween(stored.data, end));
  for (const run of bytesOfRuns(bytes, stored.data)) yield* sections.fill(run);
  return { pages, bytes };
}

function* readRunTable(sections: SectionReader, end: number): Task<StoredPages> {
  const [dataCount = 0, zeroCount = 0] = wordsOfBytes(yield* sections.take(8));
  const tableBytes = (dataCount + zeroCount) * 8;
  if (tableBytes > sections.left) {
    throw new SnapshotError(
      badSection(`claims ${dataCount + zeroCount} runs of pages, more than its section can hold`),
    );
  }
  const numbers = wordsOfBytes(yield* sections.take(tableBytes));
  const data = checkedRuns(numbers.subarray(0, dataCount * 2), end);
  const zero = checkedRuns(numbers.subarray(dataCount * 2), end);
  if (overlap(data, zero)) throw new SnapshotError(malformed('has a page that is both empty and not'));
  return { data, zero };
}

/** Runs ascend, are not empty, do not touch each other and end within the memory. */
function checkedRuns(numbers: Uint32Array, end: number): PageRun[] {
  const runs: PageRun[] = [];
  let next = 0;
  for (let at = 0; at < numbers.length; at += 2) {
    const first = numbers[at] ?? 0;
    const count = numbers[at + 1] ?? 0;
    if (first < next || count === 0 || first + count > end) {
      throw new SnapshotError(malformed(`has a run of ${count} pages from page ${first}, which cannot be`));
    }
    runs.push({ first, count });
    next = first + count + 1;
  }
  return runs;
}

function overlap(data: readonly PageRun[], zero: readonly PageRun[]): boolean {
  const runs = [...data, ...zero].sort((a, b) => a.first - b.first);
  return runs.some((run, index) => {
    const next = runs[index + 1];
    return next !== undefined && run.first + run.count > next.first;
  });
}

function newMemory(size: number, before: Uint8Array | undefined): Uint8Array {
  if (before?.length === size) return before;
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(size);
  } catch {
    throw new SnapshotError(outOfMemory(size));
  }
  if (before !== undefined) bytes.set(before);
  return bytes;
}
