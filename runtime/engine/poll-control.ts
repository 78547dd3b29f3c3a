/**
 * Decides what each poll is answered: go on with so much budget, or leave.
 *
 * The module counts its budget down by one at every stable point and polls at zero, so `granted - budget` points have
 * been passed since the last answer. Two things follow:
 * - a stop at the n-th point is exact in every engine: no grant ever reaches beyond it;
 * - how soon a request is noticed is the size of the grants. It follows the clock, so that a poll that can find a
 *   request comes about every {@link SLOW_MS} / 2 milliseconds, whatever the points cost.
 */

import { findPoint, type StableMap } from '../abi/index.js';
import type { PointProfiler } from './point-profiler.js';

/** What ends a run early. Counts begin with 1, when the run begins. */
export interface StopConditions {
  /** Stop at the n-th stable point passed. */
  readonly atPoint?: number;
  /** Stop at the n-th entry of a function (an index into the stable map's functions). */
  readonly atEntry?: { readonly function: number; readonly count: number };
  /** Asked about every millisecond, by a clock; true stops at the stable point that is being passed. */
  readonly requested?: () => boolean;
}

export interface PollHost {
  /**
   * Whether everything can be saved now. A refusal is final for the condition that is asking (the host has reported
   * the reason); `'later'` keeps the condition waiting for a stable point where it is possible.
   */
  prepare(point: number): 'ready' | 'refused' | 'later';
  /** Milliseconds from any origin. */
  now(): number;
  /** Counts the points, at the price of small grants. */
  readonly profiler?: PointProfiler | undefined;
}

const FIRST_GRANT = 1_000;
/** What is granted where nothing can stop the guest. */
export const LARGEST_GRANT: number = 2 ** 20;
/** A grant that is used up sooner is doubled, */
const FAST_MS = 0.5;
/** and one that takes longer is halved. */
const SLOW_MS = 1;

export class PollControl {
  readonly #map: StableMap;
  readonly #host: PollHost;
  #conditions: StopConditions = {};
  #granted = 1;
  #pace = FIRST_GRANT;
  #lastAsked = 0;
  #passed = 0;
  #passedBefore = 0;
  #entries = 0;

  constructor(map: StableMap, host: PollHost) {
    this.#map = map;
    this.#host = host;
  }

  /** Stable points passed by this guest so far, over all its runs. */
  get passed(): number {
    return this.#passed;
  }

  /** Whether entries must be polled ({@link exports.watch} of the ABI). */
  get watches(): boolean {
    return this.#conditions.atEntry !== undefined;
  }

  /** From now on stops on these, counted from here. */
  stopOn(conditions: StopConditions): void {
    this.#conditions = conditions;
    this.#passedBefore = this.#passed;
    this.#entries = 0;
  }

  /** The budget with which the module is started or continued. */
  begin(): number {
    this.#lastAsked = this.#host.now();
    return this.#grant();
  }

  /** The answer to the module's `poll`: a budget above 0, or 0 to leave. */
  poll(point: number, budget: number): number {
    const passed = this.count(budget);
    // Budget is left: this is either an entry being watched, which costs none, or a counted gate.
    if (budget > 0 && this.#isWatchedEntry(point)) return this.#stopsAtEntry(point) ? 0 : budget;
    this.#host.profiler?.polled(point, passed, budget);
    if (this.#stopsAtPoint(point) || this.#stopsOnRequest(point)) return 0;
    if (budget <= 0) this.#adaptPace();
    return this.#grant();
  }

  /**
   * The module says how much budget is left.
   * @returns how many points were passed since the last time
   */
  count(budget: number): number {
    const passed = this.#granted - budget;
    this.#passed += passed;
    this.#granted = budget;
    return passed;
  }

  /** Whether a checkpoint is asked for, apart from any count: also a reason to leave a call that would block. */
  requested(): boolean {
    return this.#conditions.requested?.() === true;
  }

  #stopsAtPoint(point: number): boolean {
    const { atPoint } = this.#conditions;
    if (atPoint === undefined || this.#passed - this.#passedBefore < atPoint) return false;
    const answer = this.#host.prepare(point);
    if (answer !== 'later') this.#forget('atPoint');
    return answer === 'ready';
  }

  #stopsOnRequest(point: number): boolean {
    return this.requested() && this.#host.prepare(point) === 'ready';
  }

  #stopsAtEntry(point: number): boolean {
    this.#entries += 1;
    const { atEntry } = this.#conditions;
    if (atEntry === undefined || this.#entries < atEntry.count) return false;
    const answer = this.#host.prepare(point);
    if (answer !== 'later') this.#forget('atEntry');
    return answer === 'ready';
  }

  #isWatchedEntry(point: number): boolean {
    const { atEntry } = this.#conditions;
    if (atEntry === undefined) return false;
    const found = findPoint(this.#map, point);
    return found?.info.kind === 'entry' && found.fn === this.#map.functions[atEntry.function];
  }

  #forget(condition: keyof StopConditions): void {
    const { [condition]: _met, ...rest } = this.#conditions;
    this.#conditions = rest;
  }

  #adaptPace(): void {
    const now = this.#host.now();
    const took = now - this.#lastAsked;
    this.#lastAsked = now;
    if (took < FAST_MS && this.#pace < LARGEST_GRANT) this.#pace *= 2;
    else if (took > SLOW_MS && this.#pace > 1) this.#pace = Math.ceil(this.#pace / 2);
    if (this.#pace > LARGEST_GRANT) this.#pace = LARGEST_GRANT;
  }

  #grant(): number {
    const { atPoint, requested } = this.#conditions;
    const pace = requested === undefined ? LARGEST_GRANT : this.#pace;
    // A stop that is overdue (it came inside a call-back) is asked for again at every point.
    const left = atPoint === undefined ? pace : Math.max(1, atPoint - (this.#passed - this.#passedBefore));
    this.#granted = Math.min(pace, left, this.#host.profiler?.nextGrant() ?? pace);
    return this.#granted;
  }
}
