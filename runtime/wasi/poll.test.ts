import { describe, expect, test } from '@jest/globals';
import { errno } from './errno.js';
import {
  type Clock,
  createWasi,
  type InputStream,
  inputOf,
  outputTo,
  restoreWasi,
  type Stdio,
  type WaitRequest,
  type WasiOptions,
} from './index.js';
import { testOptions, WasiGuest } from './wasi-guest.test.support.js';

interface Sub {
  readonly fd?: number;
  readonly writing?: boolean;
  readonly clock?: number;
  readonly timeout?: bigint;
  readonly absolute?: boolean;
}

/** Addresses for a call with these subscriptions; the first has userdata 100. */
function prepare(g: WasiGuest, subs: readonly Sub[]): readonly [number, number, number, number] {
  const [input, output, result] = [g.room(subs.length * 48), g.room(subs.length * 32), g.room(4)];
  subs.forEach((sub, index) => {
    const at = input + index * 48;
    g.view.setBigUint64(at, BigInt(100 + index), true);
    if (sub.fd === undefined) {
      g.view.setUint8(at + 8, 0);
      g.view.setUint32(at + 16, sub.clock ?? 1, true);
      g.view.setBigUint64(at + 24, sub.timeout ?? 0n, true);
      g.view.setUint16(at + 40, sub.absolute === true ? 1 : 0, true);
    } else {
      g.view.setUint8(at + 8, sub.writing === true ? 2 : 1);
      g.view.setUint32(at + 16, sub.fd, true);
    }
  });
  return [input, output, subs.length, result];
}

interface Happened {
  readonly who: number;
  readonly error: number;
  readonly type: number;
  readonly bytes: number;
  readonly flags: number;
}

function eventsAt(g: WasiGuest, [, output, , result]: readonly [number, number, number, number]): Happened[] {
  return Array.from({ length: g.view.getUint32(result, true) }, (_, index) => {
    const at = output + index * 32;
    return {
      who: Number(g.view.getBigUint64(at, true)),
      error: g.view.getUint16(at + 8, true),
      type: g.view.getUint8(at + 10),
      bytes: Number(g.view.getBigUint64(at + 16, true)),
      flags: g.view.getUint16(at + 24, true),
    };
  });
}

function poll(g: WasiGuest, ...subs: Sub[]): Happened[] {
  const call = prepare(g, subs);
  g.must('poll_oneoff', ...call);
  return eventsAt(g, call);
}

/** A host whose time passes by waiting, and that remembers for what it was made to wait. */
function sleepingHost(start = 1_000n): { clock: Clock; waits: WaitRequest[]; wait: WasiOptions['wait']; now: bigint } {
  const host = {
    now: start,
    waits: [] as WaitRequest[],
    clock: {
      realtime: () => host.now + 1_000_000n,
      monotonic: () => host.now,
      cpuTime: () => host.now,
      resolution: () => 1n,
    },
    wait: (request: WaitRequest) => {
      host.waits.push(request);
      host.now += request.timeout ?? 0n;
      return 'timeout' as const;
    },
  };
  return host;
}

const clockEvent = (who: number): Happened => ({ who, error: 0, type: 0, bytes: 0, flags: 0 });

function stdioWith(stdin: InputStream): Stdio {
  const nowhere = outputTo(() => undefined);
  return { stdin, stdout: nowhere, stderr: nowhere };
}

const silent: InputStream = { isTty: false, ready: () => 'would-block', read: () => 'would-block' };

describe('poll_oneoff', () => {
  test('sleeps once, until the first of several times', () => {
    const host = sleepingHost();
    const g = new WasiGuest(createWasi(testOptions(host)));
    expect(poll(g, { timeout: 500n }, { timeout: 200n }, { timeout: 200n, clock: 0 })).toEqual([
      clockEvent(101),
      clockEvent(102),
    ]);
    expect(host.waits.map(({ timeout }) => timeout)).toEqual([200n]);
  });

  test('takes absolute times of both clocks, and does not wait for times gone by', () => {
    const host = sleepingHost();
    const g = new WasiGuest(createWasi(testOptions(host)));
    expect(poll(g, { timeout: 1_300n, absolute: true }, { clock: 0, timeout: 1_001_100n, absolute: true })).toEqual([
      clockEvent(101),
    ]);
    expect(host.waits.map(({ timeout }) => timeout)).toEqual([100n]);
    expect(poll(g, { timeout: 5n, absolute: true }, { timeout: 0n })).toEqual([clockEvent(100), clockEvent(101)]);
    expect(host.waits).toHaveLength(1);
  });

  test('reports files and output at once, with what can be read', () => {
    const g = new WasiGuest(createWasi(testOptions({}, { file: 'contents' })));
    const file = g.open('file');
    g.read(file, 3);
    expect(poll(g, { fd: file }, { fd: file, writing: true }, { fd: 1, writing: true }, { timeout: 1n })).toEqual([
      { who: 100, error: 0, type: 1, bytes: 5, flags: 0 },
      { who: 101, error: 0, type: 2, bytes: 1, flags: 0 },
      { who: 102, error: 0, type: 2, bytes: 1, flags: 0 },
    ]);
  });

  test('reports input that is there, and its end as a hang-up', () => {
    const stdin = inputOf(Uint8Array.of(1, 2, 3));
    const g = new WasiGuest(createWasi(testOptions({ stdio: stdioWith(stdin) })));
    expect(poll(g, { fd: 0 })).toEqual([{ who: 100, error: 0, type: 1, bytes: 3, flags: 0 }]);
    g.read(0, 10);
    expect(poll(g, { fd: 0 })).toEqual([{ who: 100, error: 0, type: 1, bytes: 0, flags: 1 }]);
  });

  test('waits for input and time together', () => {
    const host = sleepingHost();
    const g = new WasiGuest(createWasi(testOptions({ ...host, stdio: stdioWith(silent) })));
    expect(poll(g, { fd: 0 }, { timeout: 300n })).toEqual([clockEvent(101)]);
    expect(host.waits).toEqual([{ stdin: true, sockets: [], timeout: 300n }]);
  });

  test('looks again after a false alarm, and sleeps only the rest', () => {
    const host = sleepingHost();
    const waits: (bigint | undefined)[] = [];
    const wait: WasiOptions['wait'] = ({ timeout }) => {
      waits.push(timeout);
      host.now += 100n;
      return 'ready';
    };
    const g = new WasiGuest(createWasi(testOptions({ clock: host.clock, wait, stdio: stdioWith(silent) })));
    expect(poll(g, { fd: 0 }, { timeout: 250n })).toEqual([clockEvent(101)]);
    expect(waits).toEqual([250n, 150n, 50n]);
  });

  test('reports what is wrong with one subscription as its event', () => {
    const g = new WasiGuest(createWasi(testOptions()));
    expect(poll(g, { fd: 99 }, { clock: 9, timeout: 1n }, { fd: 3 })).toEqual([
      { who: 100, error: errno.badf, type: 1, bytes: 0, flags: 0 },
      { who: 101, error: errno.inval, type: 0, bytes: 0, flags: 0 },
      { who: 102, error: errno.notcapable, type: 1, bytes: 0, flags: 0 },
    ]);
  });

  test('refuses to wait for nothing', () => {
    const g = new WasiGuest(createWasi(testOptions()));
    expect(g.call('poll_oneoff', 512, 1024, 0, 2048)).toBe(errno.inval);
    expect(g.call('poll_oneoff', 512, 1024, -1, 2048)).toBe(errno.inval);
  });

  test('lets virtual time pass instead of waiting', () => {
    const timeouts: (bigint | undefined)[] = [];
    const wait: WasiOptions['wait'] = ({ timeout }) => {
      timeouts.push(timeout);
      return 'timeout';
    };
    const g = new WasiGuest(createWasi(testOptions({ wait })));
    const before = g.time(1);
    poll(g, { timeout: 3_600_000_000_000n });
    expect(g.time(1) - before).toBe(3_600_000_000_000n + 1_000n);
    expect(timeouts).toEqual([0n]);
  });
});

describe('a sleep that a checkpoint interrupts', () => {
  /** Interrupts the first wait after letting 400 ns pass. */
  function interrupting(): { host: ReturnType<typeof sleepingHost>; options: WasiOptions; unwinds: () => number } {
    const host = sleepingHost();
    let unwinds = 0;
    const wait: WasiOptions['wait'] = (request) => {
      if (unwinds > 0) return host.wait(request);
      host.now += 400n;
      return 'interrupted';
    };
    const interrupt = (): void => {
      unwinds += 1;
    };
    return { host, options: testOptions({ clock: host.clock, wait, interrupt }), unwinds: () => unwinds };
  }

  test('leaves no trace in the guest, and asks it to unwind', () => {
    const { options, unwinds } = interrupting();
    const g = new WasiGuest(createWasi(options));
    const call = prepare(g, [{ timeout: 1_000n }]);
    const before = g.bytes(0, 65_536).slice();
    expect(g.call('poll_oneoff', ...call)).toBe(0);
    expect(unwinds()).toBe(1);
    expect(g.bytes(0, 65_536)).toEqual(before);
  });

  test('sleeps the rest when the call is made again, in the same place or after a restore elsewhere', () => {
    for (const elsewhere of [false, true]) {
      const { host, options } = interrupting();
      const wasi = createWasi(options);
      const g = new WasiGuest(wasi);
      const call = prepare(g, [{ timeout: 1_000n }]);
      g.must('poll_oneoff', ...call);
      const there = elsewhere ? sleepingHost(77_000n) : host;
      if (elsewhere) g.moveTo(restoreWasi(JSON.parse(JSON.stringify(wasi.save())), testOptions(there)));
      g.must('poll_oneoff', ...call);
      expect(there.waits.map(({ timeout }) => timeout)).toEqual([600n]);
      expect(eventsAt(g, call)).toEqual([clockEvent(100)]);
    }
  });

  test('sleeps its whole time when another call is made instead, or the next time', () => {
    const { host, options } = interrupting();
    const g = new WasiGuest(createWasi(options));
    const call = prepare(g, [{ timeout: 1_000n }]);
    g.must('poll_oneoff', ...call);
    poll(g, { timeout: 50n });
    g.must('poll_oneoff', ...call);
    g.must('poll_oneoff', ...call);
    expect(host.waits.map(({ timeout }) => timeout)).toEqual([50n, 1_000n, 1_000n]);
  });
});
