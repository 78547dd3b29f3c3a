import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withFunction } from '../../fixtures/passes/wat-module.js';
import { LocalSet } from '../ir/local-set.js';
import type { Gate } from '../ir/marks.js';
import type { LinearFunction, LoopItem, Point, Region } from './linear-code.js';
import { pointsIn, pollsAtHead } from './linear-code.js';
import { numberPoints, pointsThrough } from './number-points.js';

const newPoint = (kind: Point['kind']): Point => ({
  kind,
  ordinal: 0,
  isBusy: false,
  index: -1,
  live: new LocalSet(0),
  stale: [],
});

const noLoop: Omit<LoopItem, 'body' | 'isBusy'> = {
  kind: 'loop',
  name: 'loop',
  isHot: false,
  hasFewIterations: false,
  live: new LocalSet(0),
  staleBefore: [],
  staleAtEnd: [],
};

/** What a region is made of: a poll, a label, or a loop with or without a gate. */
type Shape =
  | 'poll'
  | 'label'
  | { readonly gate: Gate | undefined; readonly isBusy: boolean; readonly body: readonly Shape[] };

function makeRegion(shapes: readonly Shape[]): Region {
  return shapes.map((shape) => {
    if (shape === 'poll') return { kind: 'poll', gate: 'budget', point: newPoint('branch') };
    if (shape === 'label') return { kind: 'label', name: 'l' };
    const loop: LoopItem = { ...noLoop, isBusy: shape.isBusy, body: makeRegion(shape.body) };
    return shape.gate === undefined ? loop : { ...loop, gate: shape.gate, point: newPoint('loop') };
  });
}

function makeFunction(shapes: readonly Shape[]): LinearFunction {
  return withFunction('(module (func $f))', (_module, info) => ({
    info,
    isBusy: false,
    body: makeRegion(shapes),
    entry: newPoint('entry'),
  }));
}

const loop = (gate: Gate | undefined, ...body: Shape[]): Shape => ({ gate, isBusy: true, body });

describe('numbers of points', () => {
  test('begin with the entry', () => {
    const fn = makeFunction(['poll']);
    expect(numberPoints(fn).points).toEqual([fn.entry, ...pointsIn(fn.body)]);
    expect(fn.entry.index).toBe(0);
  });

  test('go by groups: loops that poll at their head, counted and other; other points; then what is inside the loops', () => {
    const fn = makeFunction(['poll', loop('budget', 'poll'), loop('counted', 'poll', 'poll'), 'poll']);
    const numbering = numberPoints(fn);
    expect(numbering.rangeOf(fn.body)).toEqual({ start: 0, countedLoopsEnd: 2, loopsEnd: 3, nestedStart: 5, end: 8 });
    // In code order: poll, the loop with a budget and its poll, the counted one and its two, poll.
    expect(pointsIn(fn.body).map(({ index }) => index)).toEqual([3, 2, 5, 1, 6, 7, 4]);
  });

  test('of a loop without a poll are those inside it', () => {
    const fn = makeFunction([loop(undefined, 'poll', loop('counted'))]);
    const numbering = numberPoints(fn);
    expect(numbering.rangeOf(fn.body)).toEqual({ start: 0, countedLoopsEnd: 1, loopsEnd: 1, nestedStart: 1, end: 3 });
    expect(numbering.points).toHaveLength(3);
  });

  test('of a twinned loop are its own, then those inside', () => {
    const fn = makeFunction([loop('counted', 'poll'), loop('budget', 'poll', 'poll'), loop(undefined, 'poll'), 'poll']);
    const [before, twinned, unpolled] = fn.body;
    if (before?.kind !== 'loop' || twinned?.kind !== 'loop' || unpolled?.kind !== 'loop') throw new Error('no loops');
    const numbering = numberPoints(fn, new Set([twinned, unpolled]));
    expect(pointsIn(fn.body).map(({ index }) => index)).toEqual([1, 3, 4, 5, 6, 7, 2]);
    expect(numbering.rangeOf(fn.body)).toEqual({ start: 0, countedLoopsEnd: 2, loopsEnd: 2, nestedStart: 3, end: 8 });
    const bounds = { start: 4, countedLoopsEnd: 4, loopsEnd: 5, nestedStart: 5, end: 7 };
    expect(numbering.rangeAround(twinned)).toEqual(bounds);
    expect(numbering.rangeAround({ ...twinned, gate: 'counted' })).toEqual({ ...bounds, countedLoopsEnd: 5 });
    expect(numbering.rangeAround(unpolled)).toEqual({
      start: 7,
      countedLoopsEnd: 7,
      loopsEnd: 7,
      nestedStart: 7,
      end: 8,
    });
  });

  test('exist for regions of this function only', () => {
    expect(() => numberPoints(makeFunction([])).rangeOf([])).toThrow('not numbered');
  });
});

const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Shape>('poll', 'label'),
    fc.record({
      gate: fc.constantFrom<Gate | undefined>('budget', 'counted', 'dirty', undefined),
      isBusy: fc.boolean(),
      body: fc.array(tie('shape'), { maxLength: 4 }),
    }),
  ),
}));

test('in any function numbers are dense, and a loop with everything inside is one range beyond its region', () => {
  type RangeOf = ReturnType<typeof numberPoints>['rangeOf'];
  const checkRegion = (region: Region, rangeOf: RangeOf, others: readonly Point[] = []): void => {
    const { start, countedLoopsEnd, loopsEnd, nestedStart, end } = rangeOf(region);
    expect(end - start).toBe(others.length + pointsIn(region).length);
    let nested = nestedStart;
    for (const item of region) {
      if (item.kind === 'poll') expect(item.point.index).toBeGreaterThanOrEqual(loopsEnd);
      if (item.kind === 'poll') expect(item.point.index).toBeLessThan(nestedStart);
      if (item.kind !== 'loop') continue;
      const own = item.point?.index;
      if (own !== undefined) {
        const [from, to] = pollsAtHead(item)
          ? item.gate === 'counted'
            ? [start, countedLoopsEnd]
            : [countedLoopsEnd, loopsEnd]
          : [loopsEnd, nestedStart];
        expect(own >= from && own < to).toBe(true);
      }
      const inside = pointsIn(item.body).map(({ index }) => index);
      expect([...inside].sort((a, b) => a - b)).toEqual(inside.map((_, n) => nested + n));
      expect(pointsThrough(item)).toEqual([...(own === undefined ? [] : [own]), ...inside]);
      nested += inside.length;
      checkRegion(item.body, rangeOf);
    }
    expect(nested).toBe(end);
  };
  fc.assert(
    fc.property(fc.array(shape, { maxLength: 5 }), (shapes) => {
      const fn = makeFunction(shapes);
      const numbering = numberPoints(fn);
      expect(numbering.points.map(({ index }) => index)).toEqual(numbering.points.map((_, index) => index));
      expect(new Set(numbering.points)).toEqual(new Set([fn.entry, ...pointsIn(fn.body)]));
      checkRegion(fn.body, numbering.rangeOf, [fn.entry]);
    }),
    { seed: 1 },
  );
});
