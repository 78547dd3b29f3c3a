import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { memoryWith } from '../../fixtures/snapshots/samples.js';
import { dirtyPages, PAGE_BYTES, PageTracker } from './index.js';

const pagesOf = (set: { has(page: number): boolean } | undefined, pages: number): number[] =>
  Array.from({ length: pages }, (_, page) => page).filter((page) => set?.has(page));

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
          const expected = pagesOf(
            { has: (page) => before.some((byte, at) => at >> 12 === page && byte !== image.bytes[at]) },
            16,
          );
          const changes = tracker.changes([image]);
          expect(pagesOf(changes.changed[0], 16)).toEqual(expected);
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
    tracker.changes([image], [{ has: (page) => page === 1 }]);
    image.bytes[9000] = 1;
    const changes = tracker.changes([image], [{ has: (page) => page === 2 }]);
    expect(pagesOf(changes.changed[0], 16)).toEqual([1, 2]);
  });

  test('compares suspects only, and stores no suspect that is as it was', () => {
    const image = memoryWith(1, {});
    const tracker = new PageTracker();
    tracker.changes([image]).accept();
    image.bytes[0] = 1;
    image.bytes[PAGE_BYTES] = 1;
    const suspects = [{ has: (page: number) => page === 1 || page === 2 }];
    expect(pagesOf(tracker.changes([image], suspects).changed[0], 16)).toEqual([1]);
  });

  test('sees pages that became empty and pages by which a memory grew', () => {
    const tracker = new PageTracker();
    tracker.changes([memoryWith(1, { 4096: [1], 8192: [1] })]).accept();
    const changes = tracker.changes([memoryWith(2, { 8192: [1], 70000: [1] })]);
    expect(pagesOf(changes.changed[0], 32)).toEqual([1, 17]);
  });
});

describe('dirty bits', () => {
  test('make the pages of their region suspect, and the page after it', () => {
    expect(pagesOf(dirtyPages(16, 0b10n), 64)).toEqual([...Array(17).keys()].map((page) => page + 16));
    expect(pagesOf(dirtyPages(12, 0b101n), 8)).toEqual([0, 1, 2, 3]);
  });

  test('of regions smaller than a page make that page suspect', () => {
    expect(pagesOf(dirtyPages(10, 1n << 5n), 16)).toEqual([1]);
    expect(pagesOf(dirtyPages(10, 1n << 7n), 16)).toEqual([1, 2]);
  });

  test('count regions beyond 64 from 0 again', () => {
    expect(pagesOf(dirtyPages(12, 1n), 130)).toEqual([0, 1, 64, 65, 128, 129]);
  });
});
