/**
 * The engine against the module that follows docs/abi.md to the letter: stopped at every stable point, continued in the
 * same instance and in fresh ones, the program must notice nothing.
 */

import { describe, expect, test } from '@jest/globals';
import { expectSnapshot, finalState, hostOf, inputSystem } from '../../fixtures/hand-instrumented/host.js';
import { handInstrumented, handMap } from '../../fixtures/hand-instrumented/index.js';
import { validateFrames } from '../snapshot/index.js';
import type { Guest } from './guest.js';
import type { StopConditions } from './poll-control.js';
import { loadProgram } from './program.js';
import { restoreGuest, startGuest } from './start.js';

const program = await loadProgram(await handInstrumented());
const bias = 2n ** 60n + 1n;

const startRun = (rounds: number, ticks?: number[]): Guest =>
  startGuest(program, { ...hostOf(ticks), entry: 'run', entryArguments: [rounds, bias] });

function undisturbed(rounds: number): { state: unknown; ticks: number[] } {
  const ticks: number[] = [];
  const guest = startRun(rounds, ticks);
  return { state: finalState(guest, guest.run()), ticks };
}

const ROUNDS = 6;

describe('a guest stopped at a stable point', () => {
  test('continues in a fresh instance from every point as if nothing had happened', () => {
    const expected = undisturbed(ROUNDS);
    const seen = new Set<number>();
    let stops = 0;
    for (let atPoint = 1; ; atPoint++) {
      const ticks: number[] = [];
      const outcome = startRun(ROUNDS, ticks).run({ atPoint });
      if (outcome.kind === 'finished') break;
      const snapshot = expectSnapshot(outcome);
      const continued = restoreGuest(program, snapshot, hostOf(ticks));
      expect(finalState(continued, continued.run())).toEqual(expected.state);
      expect(ticks).toEqual(expected.ticks);
      seen.add(snapshot.point);
      stops += 1;
    }
    expect(stops).toBeGreaterThan(20);
    expect([...seen].sort()).toEqual([2, 3, 4, 5]);
  });

  test('goes on in the same instance from every point as if nothing had happened', () => {
    const expected = undisturbed(ROUNDS);
    const ticks: number[] = [];
    const guest = startRun(ROUNDS, ticks);
    let stops = 0;
    let outcome = guest.run({ atPoint: 1 });
    while (outcome.kind === 'checkpointed') {
      stops += 1;
      outcome = guest.run({ atPoint: 1 });
    }
    expect(finalState(guest, outcome)).toEqual(expected.state);
    expect(ticks).toEqual(expected.ticks);
    expect(guest.statistics).toMatchObject({ checkpoints: stops, stablePoints: stops + 5 });
  });

  test('can be handed from instance to instance at every point', () => {
    const expected = undisturbed(ROUNDS);
    const ticks: number[] = [];
    let guest = startRun(ROUNDS, ticks);
    let points = 0;
    let outcome = guest.run({ atPoint: 1 });
    while (outcome.kind === 'checkpointed') {
      const snapshot = expectSnapshot(outcome);
      expect(snapshot.stablePoints).toBeGreaterThan(points);
      points = snapshot.stablePoints;
      guest = restoreGuest(program, snapshot, hostOf(ticks));
      outcome = guest.run({ atPoint: 1 });
    }
    expect(finalState(guest, outcome)).toEqual(expected.state);
    expect(ticks).toEqual(expected.ticks);
  });

  test('stops at the same place however often it is asked in between', () => {
    const plain = expectSnapshot(startRun(ROUNDS).run({ atPoint: 20 }));
    let clock = 0;
    const paced = startGuest(program, {
      ...hostOf(),
      entry: 'run',
      entryArguments: [ROUNDS, bias],
      now: () => (clock += 1000),
    });
    const slow = expectSnapshot(paced.run({ atPoint: 20, requested: () => false }));
    expect(slow.words).toEqual(plain.words);
    expect(slow.stablePoints).toBe(20);
    expect(slow.point).toBe(plain.point);
  });

  test('can be stopped in its start function, which then runs no second time', () => {
    const whole = startGuest(program, { ...hostOf(), system: inputSystem([3, 4, 5]), entry: '_start' });
    const expected = finalState(whole, whole.run());
    for (let atPoint = 1; atPoint <= 5; atPoint++) {
      const guest = startGuest(program, { ...hostOf(), system: inputSystem([3, 4, 5]) });
      const snapshot = expectSnapshot(guest.run({ atPoint }));
      expect([snapshot.entry, ...snapshot.following]).toEqual(['mvvm.start', '_start']);
      const continued = restoreGuest(program, snapshot, { ...hostOf(), system: inputSystem([3, 4, 5]) });
      expect(finalState(continued, continued.run())).toEqual(expected);
    }
  });

  test('waits with a checkpoint until the arguments of the entry need not be kept any more', () => {
    const snapshot = expectSnapshot(startRun(1).run({ atPoint: 1 }));
    expect([snapshot.entry, ...snapshot.following]).toEqual(['run']);
    expect(snapshot.point).toBe(4);
  });

  test('shows its stack, slots and globals', () => {
    const { words } = expectSnapshot(startRun(ROUNDS).run({ atPoint: 10 }));
    const stack = validateFrames(words, handMap, 'run');
    expect(stack.frames.map((frame) => [frame.function.name, frame.kind])).toEqual([
      ['run', 'call'],
      ['square', 'loop'],
    ]);
    expect(stack.frames[0]?.slots.map(({ name, value }) => [name, value])).toEqual([
      ['rounds', ROUNDS],
      ['bias', String(bias)],
      ['round', 0],
      ['scale', '0.5'],
    ]);
    expect(stack.globals).toMatchObject([{ value: '0' }, { bits: '0x7fa00001', value: 'NaN' }]);
  });
});

describe('counting', () => {
  /** Start function 5, entry of run, loop of run per round, and 1 + n in each `square` of n. */
  const squared = [2, 5, 6];
  const points = 5 + 1 + ROUNDS + squared.reduce((sum, n) => sum + 1 + n, 0);

  test('is exact at the end, whoever was asked how often', () => {
    const guest = startRun(ROUNDS);
    const outcome = guest.run();
    expect(guest.statistics.stablePoints).toBe(points);
    expect(finalState(guest, outcome)).toEqual(undisturbed(ROUNDS).state);
    const stopped = startRun(ROUNDS);
    stopped.run({ atPoint: 17 });
    stopped.run();
    expect(stopped.statistics).toMatchObject({ stablePoints: points, checkpoints: 1 });
  });

  test('goes on over a restore', () => {
    const snapshot = expectSnapshot(startRun(ROUNDS).run({ atPoint: 17 }));
    const continued = restoreGuest(program, snapshot, hostOf());
    continued.run();
    expect(continued.statistics.stablePoints).toBe(points - 17);
  });
});

describe('other ways to stop', () => {
  test('at the x-th entry of a function', () => {
    const conditions: StopConditions = { atEntry: { function: 1, count: 2 } };
    const guest = startRun(ROUNDS);
    const snapshot = expectSnapshot(guest.run(conditions));
    const { frames } = validateFrames(snapshot.words, handMap, 'run');
    expect(frames.map((frame) => [frame.function.name, frame.kind])).toEqual([
      ['run', 'call'],
      ['square', 'entry'],
    ]);
    // Round 0 squares 2, rounds 1 and 2 negate, round 3 squares 5.
    expect(frames[1]?.slots[0]).toMatchObject({ name: 'x', value: 5 });
    expect(finalState(guest, guest.run())).toEqual(undisturbed(ROUNDS).state);
  });

  test('on request, within a grant', () => {
    let asked = 0;
    const guest = startRun(4000);
    const outcome = guest.run({
      requested: () => {
        asked += 1;
        return asked > 3;
      },
    });
    expect(outcome.kind).toBe('checkpointed');
    expect(guest.run({}).kind).toBe('finished');
  });

  test('when a host function asks for it', () => {
    const guest: Guest = startGuest(program, {
      ...hostOf(),
      imports: { host: { tick: (round: number) => round === 3 && guest.requestCheckpoint() } },
      entry: 'run',
      entryArguments: [5000, bias],
    });
    expect(guest.run().kind).toBe('checkpointed');
    expect(guest.run()).toMatchObject({ kind: 'finished' });
  });
});
