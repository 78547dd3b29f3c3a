/**
 * Names of the functions and globals that lowered code uses (support.ts), and what functions take and give. They are cold, all
 * but those by which code polls or charges that is to be small: else the normal path reads and writes globals, and calls a
 * function only when a poll fires, a scan was long, or frames leave or come back.
 */

import { type SlotType, slotTypes } from '../../runtime/abi/index.js';
import type { Gate } from '../ir/marks.js';

/** Internal names of the imported functions. */
export const importNames = { poll: 'mvvm.poll', push: 'mvvm.push', pop: 'mvvm.pop', stay: 'mvvm.ask_stay' } as const;

/** Names of the globals, all `mut i32` that are 0 at first unless said otherwise. */
export const globals = {
  /** 1 while frames leave. Read after each call that may stop. */
  unwinding: 'mvvm.unwinding',
  /** Bit 0: frames come back. Bit 1: function entries fire. Read at the entry of each instrumented function. */
  entering: 'mvvm.entering',
  /** While a function finds its way into a loop: index of the point to resume at, else 0. */
  resume: 'mvvm.resume',
  /** Passings of counted points until one fires; 2^threshold at first. */
  counter: 'mvvm.counter',
  /** Stable points until the host is asked again; 1 at first. */
  budget: 'mvvm.budget',
  /** What counter and budget will be once the innermost frame is back. */
  savedCounter: 'mvvm.saved_counter',
  savedBudget: 'mvvm.saved_budget',
  /** Number of the point that has asked the host last: where the frame leaves, if it must. */
  asked: 'mvvm.asked',
  /** 1 while a frame is on its way to a landing: `resume` then names that, by a point of the loop that was left. */
  landing: 'mvvm.landing',
  /** Frames on the stream. */
  frames: 'mvvm.frames',
} as const;

/** The global that counts for a gate: passings until it opens. */
export function counterOf(gate: Gate): string {
  return gate === 'counted' ? globals.counter : globals.budget;
}

/** Globals of modules with dirty bits, see dirty-bits.ts. */
export const dirtyGlobals = {
  /** Bits of the memory regions written since the last checkpoint; i64, all set at first. */
  bits: 'mvvm.dirty',
  /** Points passed without firing since nothing had changed. */
  cleanPoints: 'mvvm.clean_points',
} as const;

/** The function that a fired poll calls: `(point) -> i32`, 1 when the frame must leave. */
export const fireFunction: Readonly<Record<Gate, string>> = {
  budget: 'mvvm.fire',
  counted: 'mvvm.fire_counted',
  dirty: 'mvvm.fire_dirty',
};

/**
 * A poll of code that shall be small: `(point) -> i32`, takes one off the gate's counter; 1 when the frame must leave, or is
 * on the way to a point.
 */
export const tickFunction: Readonly<Record<Gate, string>> = {
  budget: 'mvvm.tick',
  counted: 'mvvm.tick_counted',
  dirty: 'mvvm.tick_dirty',
};

/**
 * The same for a nest of loops that counts for this gate alone, in a local: `(point) -> i32`, the local's next value, or
 * 0 when the frame must leave.
 */
export const fireInNestFunction: Readonly<Record<Gate, string>> = {
  budget: 'mvvm.fire_in_nest',
  counted: 'mvvm.fire_counted_in_nest',
  dirty: 'mvvm.fire_dirty_in_nest',
};

/** `(first point) -> i32`: at a function's entry while entering; 1 if the frame comes back, or must leave again at once. */
export const enterFunction = 'mvvm.enter';
/** `(first, loopsEnd, nestedStart) -> resume - first`: one step of the way to the point `resume`. */
export const steerFunction = 'mvvm.steer';
/** `(first, loopsEnd, nestedStart, countedLoopsEnd)`: the same for regions with loops that count for another gate. */
export const steerByGateFunction = 'mvvm.steer_by_gate';
/** `(point)`: ends the saving of a frame. */
export const leaveFunction = 'mvvm.leave';

/** `()`: ends the way to a landing, which is no point: counting goes on as it was. */
export const landFunction = 'mvvm.land';
/** `()`: lets the frame that has just been saved come back at once, in the function itself. */
export const goOnFunction = 'mvvm.go_on';

/** `(counter, count) -> i32`: the counter without what a long scan takes from it, see charge-loops.ts. */
export const chargeFunction = 'mvvm.charge';
/** `(iterations)`: takes what a scan does from the counter in its global, if that are more than `uncountedIterations`. */
export const chargeScanFunction = 'mvvm.charge_scan';
/** `(count)`: takes what a short loop is about to do from the counter in its global. */
export const chargeShortFunction = 'mvvm.charge_short';

/** `(first point, first beyond) -> i32`: whether frames come back and the next is of none of these points. */
export const elsewhereFunction = 'mvvm.elsewhere';
/** `(first point, point)`: a frame cannot leave after all; it and those that have left already come back. */
export const stayFunction = 'mvvm.stay';

export const popFunction = (type: SlotType): string => `mvvm.pop_${type}`;
export const pushFunction = (type: SlotType, count: number): string => `mvvm.push_${type}_x${count}`;

export const gates: readonly Gate[] = ['budget', 'counted', 'dirty'];

/** Sizes of the groups in which values are pushed: few functions, short code. */
export const groupSizes = [8, 4, 2, 1] as const;

/** Names of what the normal path does not use. */
export const slowPath: { readonly globals: ReadonlySet<string>; readonly functions: ReadonlySet<string> } = {
  /** They are zero on it. */
  globals: new Set([globals.unwinding, globals.entering, globals.resume, globals.landing]),
  functions: new Set([
    ...Object.values(fireFunction),
    ...Object.values(fireInNestFunction),
    chargeFunction,
    enterFunction,
    steerFunction,
    steerByGateFunction,
    leaveFunction,
    landFunction,
    goOnFunction,
    ...slotTypes.flatMap((type) => groupSizes.map((count) => pushFunction(type, count))),
  ]),
};
