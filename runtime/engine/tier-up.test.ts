/** When frames leave and come back by themselves. */

import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import { expectSnapshot, finalState, hostOf } from '../../fixtures/hand-instrumented/host.js';
import { handInstrumented } from '../../fixtures/hand-instrumented/index.js';
import { tierUpEvery } from '../../fixtures/roundtrip/tier-up-every.js';
import type { Guest } from './guest.js';
import { loadProgram } from './program.js';
import { type GuestOptions, startGuest } from './start.js';
import { TierUp } from './tier-up.js';

const program = await loadProgram(await handInstrumented());

describe('the time for it', () => {
  const momentsUntil = (end: number, begins: readonly number[] = []): number[] => {
    let now = 0;
    const tierUp = new TierUp(() => now);
    const due: number[] = [];
    tierUp.begin();
    for (; now <= end; now++) {
      if (begins.includes(now)) tierUp.begin();
      if (tierUp.isDue()) due.push(now);
    }
    return due;
  };

  test('comes at intervals that double, up to a second', () => {
    expect(momentsUntil(4000)).toEqual([10, 30, 70, 150, 310, 630, 1270, 2270, 3270]);
  });

  test('is counted from when frames last came back, for whatever reason', () => {
    expect(momentsUntil(200, [5, 50])).toEqual([15, 35, 90, 170]);
  });

  test('passes when the stack is deep, and is tried again', () => {
    let now = 0;
    const tierUp = new TierUp(() => now);
    const askAt = (depth: number): boolean => (depth === 0 ? tierUp.isDue() : askAt(depth - 1));
    tierUp.begin();
    now += 10_000;
    expect(askAt(200)).toBe(false);
    now += 10_000;
    expect(askAt(200)).toBe(false);
    now += 10_000;
    expect(askAt(1)).toBe(true);
  });

  test('passes when little of the stack is left', () => {
    const script = `import(${JSON.stringify(new URL('tier-up.js', import.meta.url).href)}).then(({ TierUp }) => {
      let now = 0;
      const tierUp = new TierUp(() => now);
      tierUp.begin();
      now += 10_000;
      console.log(tierUp.isDue());
    })`;
    const askWith = (kibibytes: number): string =>
      execFileSync(process.execPath, [`--stack-size=${kibibytes}`, '-e', script], { encoding: 'utf8' }).trim();
    expect(askWith(984)).toBe('true');
    expect(askWith(200)).toBe('false');
  });

  test('leaves it to others what stack traces are like', () => {
    const settings = (): object => Object.getOwnPropertyDescriptors(Error);
    const expectSameAfterwards = (): void => {
      const before = settings();
      let now = 0;
      const tierUp = new TierUp(() => now);
      tierUp.begin();
      now += 10_000;
      expect(tierUp.isDue()).toBe(true);
      expect(settings()).toEqual(before);
    };
    const { prepareStackTrace } = Error;
    expectSameAfterwards();
    Reflect.deleteProperty(Error, 'prepareStackTrace');
    expectSameAfterwards();
    if (prepareStackTrace !== undefined) Error.prepareStackTrace = prepareStackTrace;
  });
});

describe('a guest', () => {
  const start = (options: GuestOptions): Guest =>
    startGuest(program, { ...hostOf(), ...options, entry: 'run', entryArguments: [6, 1n] });

  /** What a snapshot holds, apart from its date. */
  const stateAt = (guest: Guest, atPoint: number): unknown => {
    const { point, words, memories, tables, wasi } = expectSnapshot(guest.run({ atPoint }));
    return { point, words, memories: memories.map(({ bytes }) => Buffer.from(bytes).toString('latin1')), tables, wasi };
  };

  test.each([1, 2, 5])('that leaves and comes back at each point, or each %dth, ends as if it had not', (distance) => {
    const still = start({ tierUp: false });
    const expected = finalState(still, still.run());
    const { stablePoints } = still.statistics;
    const restless = start(tierUpEvery(distance));
    expect(finalState(restless, restless.run())).toEqual(expected);
    const tierUps = Math.floor(stablePoints / distance);
    expect(restless.statistics).toMatchObject({ checkpoints: 0, stablePoints, tierUps });
    expect(still.statistics.tierUps).toBe(0);
  });

  test('is stopped where it would have been', () => {
    for (let atPoint = 1; atPoint <= 28; atPoint++) {
      const restless = start(tierUpEvery(1));
      expect(stateAt(restless, atPoint)).toEqual(stateAt(start({ tierUp: false }), atPoint));
      // The stop comes first at its own point; those of the start function wait.
      expect(restless.statistics.tierUps).toBeGreaterThanOrEqual(atPoint - 1);
    }
  });

  test('stays where a host function has called back', () => {
    const callBack = (guest: () => Guest) => ({
      host: {
        tick: (): void => {
          const { fall } = guest().exports;
          if (typeof fall === 'function') fall(50);
        },
      },
    });
    const still: Guest = start({ imports: callBack(() => still), tierUp: false });
    const expected = finalState(still, still.run());
    const { stablePoints } = still.statistics;
    const restless: Guest = start({ imports: callBack(() => restless), ...tierUpEvery(1) });
    expect(finalState(restless, restless.run())).toEqual(expected);
    expect(restless.statistics).toMatchObject({ stablePoints, tierUps: stablePoints - 6 * 51 });
  });
});
