/**
 * Numbers the stable points of a function densely, from 0, so that dispatching needs few comparisons:
 *
 *     function's region, the entry first | its first inner loop's region | ... | its second inner loop's region | ...
 *
 * and within a region: loops that poll at their head, by a counted gate and by another, then other points. A loop's own
 * point belongs to the region *around* the loop, because resuming there means to enter the loop; but for a twinned loop
 * (twinned-loops.ts), whose own point comes right before those inside, for all of them come back in the twin. So the points
 * of a loop with everything inside are contiguous, as are those of a try, and "is it deeper than this region?" is one
 * comparison.
 */

import type { Item, LinearFunction, LoopItem, Point, Region, TryItem } from './linear-code.js';
import { pointsIn, pollsAtHead, regionsIn } from './linear-code.js';

/** Where the points of one region stand in the function's numbering; each bound is the first number beyond. */
export interface RegionRange {
  readonly start: number;
  readonly countedLoopsEnd: number;
  readonly loopsEnd: number;
  /** From here to `end` are the points inside the region's loops and tries, and the own ones of twinned loops. */
  readonly nestedStart: number;
  readonly end: number;
}

export interface Numbering {
  /** All points of the function by their number. */
  readonly points: readonly Point[];
  rangeOf(region: Region): RegionRange;
  /** Where the points of a twinned loop stand, its own first. */
  rangeAround(loop: LoopItem): RegionRange;
}

/** @param twinned the loops of `fn` that come back in its twin, if not all of it does */
export function numberPoints(fn: LinearFunction, twinned: ReadonlySet<Item> = new Set()): Numbering {
  const points: Point[] = [];
  const ranges = new Map<Region, RegionRange>();
  const add = (list: readonly Point[]): number => {
    for (const point of list) {
      point.index = points.length;
      points.push(point);
    }
    return points.length;
  };

  const visit = (region: Region): void => {
    const around = region.filter((item) => !twinned.has(item));
    const loops = around.filter((item) => item.kind === 'loop');
    const own = (counted: boolean): Point[] =>
      loops
        .filter((loop) => pollsAtHead(loop) && (loop.gate === 'counted') === counted)
        .flatMap((loop) => loop.point ?? []);
    const others = around.flatMap((item) => {
      if (item.kind === 'loop') return item.point !== undefined && !pollsAtHead(item) ? [item.point] : [];
      return item.kind === 'poll' || item.kind === 'call' ? [item.point] : [];
    });
    // The function's entry belongs to its region.
    const start = region === fn.body ? 0 : points.length;
    const countedLoopsEnd = add(own(true));
    const loopsEnd = add(own(false));
    const nestedStart = add(others);
    for (const item of region) {
      if (item.kind === 'loop' && twinned.has(item) && item.point !== undefined) add([item.point]);
      for (const inner of regionsIn(item)) visit(inner);
    }
    ranges.set(region, { start, countedLoopsEnd, loopsEnd, nestedStart, end: points.length });
  };

  add([fn.entry]);
  visit(fn.body);
  const rangeOf = (region: Region): RegionRange => {
    const range = ranges.get(region);
    if (range === undefined) throw new Error('a region that was not numbered');
    return range;
  };
  return {
    points,
    rangeOf,
    rangeAround({ point, gate, body }) {
      const { start: nestedStart, end } = rangeOf(body);
      const start = point?.index ?? nestedStart;
      return {
        start,
        countedLoopsEnd: gate === 'counted' ? nestedStart : start,
        loopsEnd: nestedStart,
        nestedStart,
        end,
      };
    },
  };
}

/** Numbers of the points that are reached by entering a loop or a try: a loop's own and those inside. */
export function pointsThrough(item: LoopItem | TryItem): number[] {
  return pointsIn([item]).map((point) => point.index);
}
