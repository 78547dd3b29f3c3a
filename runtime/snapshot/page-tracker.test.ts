import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { memoryWith } from '../../fixtures/snapshots/samples.js';
import { dirtyPages, PAGE_BYTES, type PageRun, PageTracker, WrittenPages } from './index.js';

const pagesOf = (runs: readonly PageRun[] | undefined): number[] =>
  (runs ?? []).flatMap(({ first, count }) => Array.from({ length: count }, (_, index) => first + index));
const page = (first: number): PageRun => ({ first, count: 1 });

describe('the page tracker', () => {
  test('finds exactly the pages of which a byte changed since what was accepted', () => {
    const write = fc.tuple(fc.nat(65_535), fc.nat(255));
    fc.assert(
      fc.property(fc.array(write), fc.array(fc.array(write, { maxLength: 5 }), { maxLength: 4 }), (first, rounds) => {
        const image = memoryWith(1, {});
        for (const [address, value] of first) image.bytes[address] = value;
        const tracker = new PageTracker();
        tracker.changes([image]).accept();
        for (const writes of rounds) {
          const before = image.bytes.slice();
          for (const [address, value] of writes) image.bytes[address] = value;
          const touched = [...before.keys()].filter((at) => before[at] !== image.bytes[at]).map((at) => at >> 12);
          const changes = tracker.changes([image]);
          expect(pagesOf(changes.changed[0])).toEqual([...new Set(touched)]);
          changes.accept();
        }
      }),
      { numRuns: 30 },
    );
  });

  test('keeps to what was accepted when a snapshot could not be written', () => {
    const image = memoryWith(1, { 0: [1] });
    const tracker = new PageTracker();
    tracker.changes([image]).accept();
    image.bytes[5000] = 1;
    tracker.changes([image], [[page(1)]]);
    image.bytes[9000] = 1;
    const changes = tracker.changes([image], [[page(2)]]);
    expect(pagesOf(changes.changed[0])).toEqual([1, 2]);
  });

  test('compares suspects only, and stores no suspect that is as it was', () => {
    const image = memoryWith(1, {});
    const tracker = new PageTracker();
    tracker.changes([image]).accept();
    image.bytes[0] = 1;
    image.bytes[PAGE_BYTES] = 1;
    const { changed, compared } = tracker.changes([image], [[page(2), page(1), page(2), page(99)]]);
    expect(pagesOf(changed[0])).toEqual([1]);
    expect(compared).toBe(2);
  });

  test('sees pages that became empty and pages by which a memory grew', () => {
    const tracker = new PageTracker();
    tracker.changes([memoryWith(1, { 4096: [1], 8192: [1] })]).accept();
    const changes = tracker.changes([memoryWith(2, { 8192: [1], 70000: [1] })]);
    expect(pagesOf(changes.changed[0])).toEqual([1, 17]);
  });
});

describe('dirty bits', () => {
  test('make the pages of their region suspect, and the page after it', () => {
    expect(dirtyPages(16, 0b10n, 64)).toEqual([{ first: 16, count: 17 }]);
    expect(dirtyPages(12, 0b101n, 8)).toEqual([{ first: 0, count: 4 }]);
    expect(dirtyPages(12, 1n << 7n, 8)).toEqual([page(7)]);
  });

  test('of regions smaller than a page make that page and the next suspect', () => {
    expect(dirtyPages(10, 1n << 4n, 16)).toEqual([{ first: 1, count: 2 }]);
    expect(dirtyPages(10, 1n << 7n, 16)).toEqual([{ first: 1, count: 2 }]);
  });

  test('count regions beyond 64 from 0 again', () => {
    expect(pagesOf(dirtyPages(12, 1n, 130))).toEqual([0, 1, 64, 65, 128, 129]);
  });

  test('of the last region that there can be make the first page suspect', () => {
    expect(dirtyPages(16, 1n << 63n, 16)).toEqual([page(0)]);
    expect(pagesOf(dirtyPages(12, 1n << 63n, 65))).toEqual([0, 63, 64]);
  });
});

describe('what a host wrote', () => {
  test('is told once, by pages', () => {
    const written = new WrittenPages();
    written.mark(4095, 1);
    written.mark(PAGE_BYTES * 3 - 1, 2);
    written.mark(PAGE_BYTES * 1000, 1);
    written.mark(0, 0);
    expect(written.take()).toEqual([page(0), { first: 2, count: 2 }, page(1000)]);
    expect(written.take()).toEqual([]);
  });
});
