/** Clocks of a host, in nanoseconds. What a guest sees of them is in guest-clocks.ts. */

export interface Clock {
  /** Since 1970. */
  realtime(): bigint;
  /** Since some moment; never goes back. */
  monotonic(): bigint;
  /** Time spent on the guest. */
  cpuTime(): bigint;
  /** The smallest step of these clocks. */
  resolution(kind: 'realtime' | 'monotonic' | 'cpuTime'): bigint;
  /**
   * Present when time is virtual: it stands still but for this. Called with the resolution for each look that the guest
   * takes at a clock, and with a whole sleep instead of waiting.
   */
  readonly pass?: (nanoseconds: bigint) => void;
}

/** How far the finer clock may be from the wall clock, in milliseconds, before it is set by it again. */
const tolerance = 1.5;

/** The clocks of any JavaScript engine. Time spent on the guest is taken to be the time that passed since this call. */
export function systemClock(): Clock {
  const monotonic = (): bigint => BigInt(Math.round(performance.now() * 1e6));
  const start = monotonic();
  // The wall clock counts whole milliseconds only; the other has the digits behind them, but is never set.
  let beginning = Date.now() - performance.now();
  return {
    realtime() {
      const wall = Date.now();
      if (Math.abs(beginning + performance.now() - wall) > tolerance) beginning = wall - performance.now();
      return BigInt(Math.round((beginning + performance.now()) * 1e6));
    },
    monotonic,
    cpuTime: () => monotonic() - start,
    resolution: () => 1_000n,
  };
}

export interface VirtualClockOptions {
  /** Wall-clock time at the start, nanoseconds since 1970. Default: the first second of the year 2000. */
  readonly start?: bigint;
  /** What passes between two looks at a clock, nanoseconds. Default 1000. */
  readonly step?: bigint;
}

/**
 * Clocks that are the same in every run: each look lets a little time pass, a sleep lets its whole time pass at once.
 */
export function virtualClock(options: VirtualClockOptions = {}): Clock {
  const start = options.start ?? 946_684_800_000_000_000n;
  // Not zero: some language runtimes take a monotonic clock of zero for a broken one.
  let elapsed = 1_000_000_000n;
  return {
    realtime: () => start + elapsed,
    monotonic: () => elapsed,
    cpuTime: () => elapsed,
    resolution: () => options.step ?? 1_000n,
    pass(nanoseconds) {
      elapsed += nanoseconds;
    },
  };
}
