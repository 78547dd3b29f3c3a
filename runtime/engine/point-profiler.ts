/**
 * Counts how often each stable point is passed: the input of `mvvmc --enable-checkpoint-pgo`.
 *
 * The module tells a point only when it polls. So it is granted budgets of one, and every passing is seen - up to a
 * million of them; from then on random budgets, each poll standing for all that were passed since the one before. What is
 * hot is found as well, and a long run is not slowed down much more than any. The random numbers are always the same, so
 * the same run gives the same profile.
 */

import type { PointKind } from '../abi/index.js';
import type { Program } from './program.js';

/** How often the stable points of a module were passed. */
export interface PointProfile {
  /** SHA-256 of the module that mvvmc compiled, lower-case hexadecimal. */
  readonly original: string;
  /** All points, in the order of their numbers. */
  readonly points: readonly {
    readonly function: string;
    readonly kind: PointKind;
    /** The point is the `ordinal`-th of its kind in its function. */
    readonly ordinal: number;
    readonly count: number;
  }[];
}

const EXACT_POLLS = 1_000_000;
/** Random budgets are below this: a power of two. */
const SAMPLING_RANGE = 128;

export class PointProfiler {
  readonly #counts = new Map<number, number>();
  /** Points with counted gates, as far as they were noticed. */
  readonly #counted = new Set<number>();
  #polls = 0;
  /** Passed, but not yet attributed to a point. */
  #pending = 0;
  #random = 0x9e3779b9;

  /**
   * A poll has come.
   * @param passed points passed since the last one, this one with them
   * @param budget what is left of the last grant. Anything is left only where a counted gate has opened: its point polls at
   *   every passing, and so stands for itself alone
   */
  polled(point: number, passed: number, budget: number): void {
    this.#polls += 1;
    this.#pending += passed;
    if (budget > 0) this.#counted.add(point);
    const weight = this.#counted.has(point) ? 1 : this.#pending;
    this.#pending -= weight;
    this.#counts.set(point, (this.#counts.get(point) ?? 0) + weight);
  }

  /** The largest budget that may be granted now. */
  nextGrant(): number {
    if (this.#polls < EXACT_POLLS) return 1;
    // xorshift32
    this.#random ^= this.#random << 13;
    this.#random ^= this.#random >>> 17;
    this.#random ^= this.#random << 5;
    return 1 + (this.#random & (SAMPLING_RANGE - 1));
  }

  /** What was counted so far. */
  profileOf({ info, map }: Program): PointProfile {
    return {
      original: info.original,
      points: map.functions.flatMap((fn) =>
        fn.points.map(({ kind, ordinal }, index) => ({
          function: fn.name,
          kind,
          ordinal,
          count: this.#counts.get(fn.firstPoint + index) ?? 0,
        })),
      ),
    };
  }
}
