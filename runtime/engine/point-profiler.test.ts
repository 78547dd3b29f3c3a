/** Counting stable points: exactly at first, then by samples that must still tell what is hot. */

import { describe, expect, test } from '@jest/globals';
import { expectSnapshot, hostOf } from '../../fixtures/hand-instrumented/host.js';
import { handInstrumented, handMap } from '../../fixtures/hand-instrumented/index.js';
import { PointProfiler } from './point-profiler.js';
import { PollControl } from './poll-control.js';
import { loadProgram } from './program.js';
import { startGuest } from './start.js';

const program = await loadProgram(await handInstrumented());

/** Counts by function and kind, without those that are zero. */
function countsOf(profiler: PointProfiler): Record<string, number> {
  const { points } = profiler.profileOf(program);
  return Object.fromEntries(
    points.filter(({ count }) => count > 0).map((point) => [`${point.function} ${point.kind}`, point.count]),
  );
}

describe('a run that is profiled', () => {
  const profiler = new PointProfiler();
  const guest = startGuest(program, { ...hostOf(), entry: 'run', entryArguments: [6, 1n], profiler });
  const outcome = guest.run();

  test('counts each point as often as it was passed', () => {
    // Rounds 0, 3 and 4 square 2, 5 and 6.
    expect(countsOf(profiler)).toEqual({
      'fill entry': 1,
      'fill loop': 4,
      'square entry': 3,
      'square loop': 2 + 5 + 6,
      'run entry': 1,
      'run loop': 6,
    });
    expect(guest.statistics.stablePoints).toBe(28);
  });

  test('lists every point of the module that mvvmc compiled', () => {
    const { original, points } = profiler.profileOf(program);
    expect(original).toBe(program.info.original);
    expect(points.map((point) => [point.function, point.kind, point.ordinal])).toEqual(
      handMap.functions.flatMap((fn) => fn.points.map(({ kind, ordinal }) => [fn.name, kind, ordinal])),
    );
  });

  test('ends and can be stopped as any other', () => {
    const begin = (counted: boolean) =>
      startGuest(program, {
        ...hostOf(),
        entry: 'run',
        entryArguments: [6, 1n],
        ...(counted ? { profiler: new PointProfiler() } : {}),
      });
    expect(begin(false).run()).toEqual(outcome);
    const [one, other] = [true, false].map((counted) => expectSnapshot(begin(counted).run({ atPoint: 17 })));
    expect(one?.words).toEqual(other?.words);
    const entered = begin(true).run({ atEntry: { function: 1, count: 2 } });
    expect(expectSnapshot(entered).point).toBe(2);
  });
});

describe('a long run', () => {
  const [SQUARE, LOOP, COUNTED] = [2, 3, 5];

  /** Passes points in this order, again and again; those that are `COUNTED` poll each time. */
  function pass(cycle: readonly number[], times: number): { profiler: PointProfiler; polls: number } {
    const profiler = new PointProfiler();
    const control = new PollControl(handMap, { now: () => 0, prepare: () => 'ready', profiler });
    let budget = control.begin();
    let polls = 0;
    for (let time = 0; time < times; time++) {
      for (const point of cycle) {
        budget -= 1;
        if (budget > 0 && point !== COUNTED) continue;
        polls += 1;
        budget = control.poll(point, budget);
      }
    }
    return { profiler, polls };
  }

  test('polls ever more rarely, and is counted right within a few percent', () => {
    const cycle = [SQUARE, ...Array.from({ length: 15 }, () => LOOP)];
    const { profiler, polls } = pass(cycle, 500_000);
    expect(polls).toBeLessThan(1_200_000);
    const counts = countsOf(profiler);
    expect(counts['square loop']).toBeGreaterThan(7_500_000 * 0.98);
    expect(counts['square loop']).toBeLessThan(7_500_000 * 1.02);
    expect(counts['square entry']).toBeGreaterThan(500_000 * 0.95);
    expect(counts['square entry']).toBeLessThan(500_000 * 1.05);
  });

  test('counts the points of a counted gate for themselves, however much was passed since the last poll', () => {
    const { profiler } = pass([SQUARE, LOOP, LOOP, LOOP, COUNTED], 600_000);
    const counts = countsOf(profiler);
    expect(counts['run loop']).toBeGreaterThan(600_000 * 0.95);
    expect(counts['run loop']).toBeLessThan(600_000 * 1.05);
    expect(counts['square loop']).toBeGreaterThan(1_800_000 * 0.95);
    expect(counts['square loop']).toBeLessThan(1_800_000 * 1.05);
  });

  test('gives the same profile every time', () => {
    const [one, other] = [1, 2].map(() => countsOf(pass([SQUARE, LOOP, LOOP], 500_000).profiler));
    expect(one).toEqual(other);
  });
});
