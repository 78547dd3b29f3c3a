import { describe, expect, test } from '@jest/globals';
import { errno } from './errno.js';
import { type Clock, createWasi, restoreWasi, seededRandom, systemClock, systemRandom, virtualClock } from './index.js';
import { testOptions, WasiGuest } from './wasi-guest.test.support.js';

/** A clock that shows what the test says. */
function settableClock(start: bigint): Clock & { now: bigint } {
  const clock = {
    now: start,
    realtime: (): bigint => clock.now + 5_000n,
    monotonic: (): bigint => clock.now,
    cpuTime: (): bigint => clock.now,
    resolution: (): bigint => 7n,
  };
  return clock;
}

describe('clocks', () => {
  test('are those of the host, and others do not exist', () => {
    const g = new WasiGuest(createWasi(testOptions({ clock: settableClock(100n) })));
    expect([0, 1, 2, 3].map((clock) => g.time(clock))).toEqual([5_100n, 100n, 100n, 100n]);
    const result = g.room(8);
    g.must('clock_res_get', 0, result);
    expect(g.view.getBigUint64(result, true)).toBe(7n);
    expect(g.call('clock_time_get', 4, 0n, result)).toBe(errno.inval);
    expect(g.call('clock_res_get', -1, result)).toBe(errno.inval);
  });

  test('of the system run on, and real time is near the real one', () => {
    const clock = systemClock();
    const first = clock.monotonic();
    expect(clock.monotonic()).toBeGreaterThanOrEqual(first);
    for (let look = 0; look < 1000; look++) {
      const [before, now, after] = [Date.now(), Number(clock.realtime() / 1_000n) / 1_000, Date.now()];
      expect([before - now < 3, now - after < 3]).toEqual([true, true]);
    }
  });

  test.each([
    ['another machine that was started just now', 3n],
    ['another machine that runs for long', 1_000_000n],
  ])('go on from the checkpoint on %s; real time is the host`s', (_, uptime) => {
    const before = createWasi(testOptions({ clock: settableClock(1_000n) }));
    const there = settableClock(uptime);
    const g = new WasiGuest(restoreWasi(before.save(), testOptions({ clock: there })));
    expect(g.time(1)).toBe(1_000n);
    there.now += 50n;
    expect([1, 2, 3].map((clock) => g.time(clock))).toEqual([1_050n, 1_050n, 1_050n]);
    expect(g.time(0)).toBe(uptime + 50n + 5_000n);
  });

  test('never go back, though the host`s does', () => {
    const clock = settableClock(1_000n);
    const g = new WasiGuest(createWasi(testOptions({ clock })));
    expect(g.time(1)).toBe(1_000n);
    clock.now = 10n;
    expect(g.time(1)).toBe(1_000n);
  });
});

describe('virtual time', () => {
  const looks = (g: WasiGuest): bigint[] => [0, 1, 2, 0, 1].map((clock) => g.time(clock));

  test('is the same in every run, and passes a little with each look', () => {
    const run = (): bigint[] => looks(new WasiGuest(createWasi(testOptions({ clock: virtualClock({ step: 10n }) }))));
    const times = run();
    expect(run()).toEqual(times);
    expect((times[3] ?? 0n) - (times[0] ?? 0n)).toBe(30n);
  });

  test('goes on after a restore as if there had been none, real time too', () => {
    const undisturbed = new WasiGuest(createWasi(testOptions()));
    const expected = [...looks(undisturbed), ...looks(undisturbed)];
    const wasi = createWasi(testOptions());
    const g = new WasiGuest(wasi);
    const first = looks(g);
    const state = wasi.save();
    expect(wasi.save()).toEqual(state);
    g.moveTo(restoreWasi(state, testOptions()));
    expect([...first, ...looks(g)]).toEqual(expected);
  });
});

describe('randomness', () => {
  const draw = (g: WasiGuest): string => {
    const address = g.room(16);
    g.must('random_get', address, 13);
    return String(g.bytes(address, 13));
  };

  test('of one seed is the same in every run, of another it differs', () => {
    const run = (seed: number): string => draw(new WasiGuest(createWasi(testOptions({ random: seededRandom(seed) }))));
    expect(run(7)).toBe(run(7));
    expect(run(7)).not.toBe(run(8));
    expect(run(0)).not.toBe(run(1));
  });

  test('of a seed goes on after a restore', () => {
    const wasi = createWasi(testOptions({ random: seededRandom(7) }));
    const g = new WasiGuest(wasi);
    draw(g);
    const state = wasi.save();
    const next = draw(g);
    g.moveTo(restoreWasi(state, testOptions({ random: seededRandom(99) })));
    expect(draw(g)).toBe(next);
  });

  test('of the host is fresh in each copy that is restored', () => {
    const wasi = createWasi(testOptions({ random: systemRandom() }));
    const state = wasi.save();
    expect(state.random).toBeNull();
    const copies = Array.from({ length: 20 }, () =>
      draw(new WasiGuest(restoreWasi(state, testOptions({ random: systemRandom() })))),
    );
    expect(new Set(copies).size).toBe(20);
  });

  test('fills large ranges whole', () => {
    const bytes = new Uint8Array(200_000);
    systemRandom().fill(bytes);
    expect(bytes.subarray(199_900).some((byte) => byte !== 0)).toBe(true);
    expect(bytes.subarray(65_500, 65_600).some((byte) => byte !== 0)).toBe(true);
  });
});
