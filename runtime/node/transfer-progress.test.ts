import { expect, test } from '@jest/globals';
import { FIRST_MS, NEXT_MS, startMeter, type TransferProgress } from './transfer-progress.js';

const what = { action: 'read', file: 'a.snap', total: 100 } as const;

/** Counts ten bytes at each of these times, then ends; gives what was told. */
function told(...times: readonly number[]): TransferProgress[] {
  const all: TransferProgress[] = [];
  let time = 0;
  const meter = startMeter(
    what,
    (progress) => all.push(progress),
    () => time,
  );
  for (const next of times) {
    time = next;
    meter.add(10);
  }
  meter.end();
  return all;
}

test('nothing is told of a transfer that is over within a second', () => {
  expect(told(1, FIRST_MS - 1)).toEqual([]);
});

test('a longer one is told of four times a second, and when it is over', () => {
  expect(told(1, FIRST_MS, FIRST_MS + NEXT_MS - 1, FIRST_MS + NEXT_MS)).toEqual([
    { ...what, bytes: 20, milliseconds: FIRST_MS, isOver: false },
    { ...what, bytes: 40, milliseconds: FIRST_MS + NEXT_MS, isOver: false },
    { ...what, bytes: 40, milliseconds: FIRST_MS + NEXT_MS, isOver: true },
  ]);
});
