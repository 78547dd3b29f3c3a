/**
 * The clocks as a guest sees them. Real time is the host's. Monotonic time and time spent continue from the checkpoint,
 * whatever the host's own clocks show: what a restore adds to them is the offset here.
 */

import type { Clock } from './clock.js';
import { errno, fail } from './errno.js';
import { clockId } from './flags.js';

/** Readings at a checkpoint, nanoseconds. */
export interface ClockReadings {
  readonly monotonic: bigint;
  readonly cpuTime: bigint;
  /** Real time, which only a virtual clock continues from. */
  readonly realtime: bigint;
}

export class GuestClocks {
  readonly #clock: Clock;
  #monotonicOffset = 0n;
  #cpuOffset = 0n;
  #realtimeOffset = 0n;
  #lastMonotonic = 0n;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get isVirtual(): boolean {
    return this.#clock.pass !== undefined;
  }

  /** Nanoseconds since 1970. */
  realtime(): bigint {
    return this.#clock.realtime() + this.#realtimeOffset;
  }

  /** Never less than it ever was. */
  monotonic(): bigint {
    const now = this.#clock.monotonic() + this.#monotonicOffset;
    if (now > this.#lastMonotonic) this.#lastMonotonic = now;
    return this.#lastMonotonic;
  }

  cpuTime(): bigint {
    return this.#clock.cpuTime() + this.#cpuOffset;
  }

  /** The guest looks at a clock, which takes a moment where time is virtual. EINVAL for an unknown clock. */
  look(id: number): bigint {
    this.pass(this.#clock.resolution('monotonic'));
    switch (id) {
      case clockId.realtime:
        return this.realtime();
      case clockId.monotonic:
        return this.monotonic();
      case clockId.processCpuTime:
      case clockId.threadCpuTime:
        return this.cpuTime();
      default:
        return fail(errno.inval);
    }
  }

  resolution(id: number): bigint {
    switch (id) {
      case clockId.realtime:
        return this.#clock.resolution('realtime');
      case clockId.monotonic:
        return this.#clock.resolution('monotonic');
      case clockId.processCpuTime:
      case clockId.threadCpuTime:
        return this.#clock.resolution('cpuTime');
      default:
        return fail(errno.inval);
    }
  }

  /** Lets time pass without waiting, where time is virtual. */
  pass(nanoseconds: bigint): void {
    this.#clock.pass?.(nanoseconds);
  }

  save(): ClockReadings {
    return { monotonic: this.monotonic(), cpuTime: this.cpuTime(), realtime: this.realtime() };
  }

  load(readings: ClockReadings): void {
    this.#monotonicOffset = readings.monotonic - this.#clock.monotonic();
    this.#cpuOffset = readings.cpuTime - this.#clock.cpuTime();
    this.#realtimeOffset = this.isVirtual ? readings.realtime - this.#clock.realtime() : 0n;
    this.#lastMonotonic = readings.monotonic;
  }
}
