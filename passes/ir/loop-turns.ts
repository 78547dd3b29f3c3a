/** How often a loop is repeated at most, by what is known of its counter (loop-counter.ts) when it is entered. */

import type { LoopCounter } from './loop-counter.js';
import { asSigned, asUnsigned, type Range, type Ranges, rangeOf, within } from './ranges.js';

export interface Turns {
  /** The most iterations until the counter meets its end, if its numbers do not come round before. */
  readonly most: number;
  /**
   * The fewest iterations if they do: a counter that is tested for being equal may jump over its end, or be beyond it.
   * Undefined where they certainly do not.
   */
  readonly otherwise: number | undefined;
}

const MODULUS = 2 ** 32;

/** @returns undefined if nothing is known */
export function boundTurns({ counter, step, test, end }: LoopCounter, known: Ranges): Turns | undefined {
  const start = known.get(counter);
  const limit = end === undefined ? { least: 0, most: 0 } : rangeOf(end.value, known, []);
  if (limit === undefined || step === 0) return undefined;
  switch (test) {
    case 'not-equal':
      return start && turnsUntilEqual(start, limit, step);
    case 'less-unsigned': {
      // Wherever it begins: at worst beyond the end, to come round once.
      const most = asUnsigned(limit)?.most;
      if (most === undefined || step < 0 || most + step >= MODULUS) return undefined;
      return { most: Math.ceil(most / step) + 2, otherwise: undefined };
    }
    case 'less-signed': {
      const [from, to] = [start && asSigned(start), asSigned(limit)];
      if (from === undefined || to === undefined || step < 0) return undefined;
      if (Math.max(from.most, to.most) + step >= 2 ** 31) return undefined;
      return { most: Math.ceil(Math.max(to.most - from.least, 0) / step) + 1, otherwise: undefined };
    }
  }
}

function turnsUntilEqual(start: Range, limit: Range, step: number): Turns | undefined {
  const size = Math.abs(step);
  const [from, to] = step > 0 ? [start, limit] : [limit, start];
  const distance = within(to.least - from.most, to.most - from.least);
  if (distance === undefined || distance.most >= MODULUS / 2) return undefined;
  const { least, most } = distance;
  const isDivisible = size === 1 || (least === most && least % size === 0);
  return {
    most: Math.max(1, Math.floor(most / size)),
    otherwise: least >= size && isDivisible ? undefined : (MODULUS + least) / size,
  };
}

/**
 * The range at a loop's head of a local to which each iteration adds the same.
 * @param range before the loop
 * @param turns iterations that the loop has at most
 */
export function rangeAtHead(range: Range, step: number, turns: number): Range | undefined {
  const added = (turns - 1) * step;
  return within(range.least + Math.min(added, 0), range.most + Math.max(added, 0));
}
