/** How requests, counts and the clock decide what a poll is answered. The module is played by the test. */

import { describe, expect, test } from '@jest/globals';
import { handMap } from '../../fixtures/hand-instrumented/index.js';
import { PollControl, type PollHost, type StopConditions } from './poll-control.js';

const LOOP = 3;
const ENTRY = 2;

/** A module that passes loop points, taking `pointMs` for each, until it is told to leave. */
function play(
  conditions: StopConditions,
  { points, pointMs, prepare = () => 'ready' }: { points: number; pointMs: number; prepare?: PollHost['prepare'] },
): { stoppedAt: number | undefined; polls: number[] } {
  let now = 0;
  const control = new PollControl(handMap, { now: () => now, prepare });
  control.stopOn(conditions);
  let budget = control.begin();
  const polls: number[] = [];
  for (let passed = 1; passed <= points; passed++) {
    now += pointMs;
    budget -= 1;
    if (budget > 0) continue;
    polls.push(passed);
    budget = control.poll(LOOP, budget);
    if (control.passed !== passed) throw new Error(`counted ${control.passed} points of ${passed}`);
    if (budget === 0) return { stoppedAt: passed, polls };
  }
  return { stoppedAt: undefined, polls };
}

describe('a stop at the n-th point', () => {
  test.each([1, 2, 999, 1000, 1001, 54_321])('is exact for n = %d, whatever the points cost', (atPoint) => {
    for (const pointMs of [0, 0.0001, 0.01, 5]) {
      expect(play({ atPoint, requested: () => false }, { points: 100_000, pointMs }).stoppedAt).toBe(atPoint);
    }
  });

  test('that has to wait comes at the next point where it can be', () => {
    let asked = 0;
    const prepare = (): 'later' | 'ready' => {
      asked += 1;
      return asked <= 5 ? 'later' : 'ready';
    };
    expect(play({ atPoint: 10 }, { points: 100, pointMs: 0, prepare }).stoppedAt).toBe(15);
  });

  test('that is refused is forgotten', () => {
    let asked = 0;
    const prepare = (): 'refused' => {
      asked += 1;
      return 'refused';
    };
    expect(play({ atPoint: 10 }, { points: 3_000_000, pointMs: 0, prepare }).stoppedAt).toBeUndefined();
    expect(asked).toBe(1);
  });
});

describe('a request', () => {
  test.each([0.0001, 0.001, 0.1, 1])('is asked for about every millisecond at %d ms a point', (pointMs) => {
    // Time enough to find the pace.
    const { polls } = play({ requested: () => false }, { points: Math.max(5000, 200 / pointMs), pointMs });
    const [last = 0, before = 0] = polls.slice(-2).reverse();
    const gap = (last - before) * pointMs;
    expect(gap).toBeGreaterThanOrEqual(0.5);
    expect(gap).toBeLessThanOrEqual(Math.max(1.001, pointMs));
  });

  test('stops at the poll that finds it', () => {
    let asked = 0;
    const requested = (): boolean => {
      asked += 1;
      return asked === 3;
    };
    const { stoppedAt, polls } = play({ requested }, { points: 1_000_000, pointMs: 0.001 });
    expect(polls).toHaveLength(3);
    expect(stoppedAt).toBe(polls[2]);
  });
});

describe('watched entries', () => {
  const watch = (count: number): PollControl => {
    const control = new PollControl(handMap, { now: () => 0, prepare: () => 'ready' });
    control.stopOn({ atEntry: { function: 1, count } });
    return control;
  };

  test('count without costing budget', () => {
    const control = watch(3);
    const budget = control.begin();
    expect(control.watches).toBe(true);
    expect(control.poll(ENTRY, budget)).toBe(budget);
    expect(control.poll(ENTRY, budget - 10)).toBe(budget - 10);
    expect(control.poll(ENTRY, budget - 10)).toBe(0);
    expect(control.passed).toBe(10);
    expect(control.watches).toBe(false);
  });

  test('of other functions do not count', () => {
    const control = watch(1);
    const otherEntry = 4;
    expect(control.poll(otherEntry, control.begin())).toBeGreaterThan(0);
  });
});
