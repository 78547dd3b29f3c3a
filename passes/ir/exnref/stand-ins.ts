/**
 * The instructions of exceptions in their newer form that Binaryen's interface can neither show nor build, as calls of
 * imported functions, beside `try`, which it can:
 *
 *     (throw_ref (e))                    (call $mvvm.throw_ref (e)) (unreachable)
 *     an `exnref` that was caught        (call $mvvm.caught), in a clause of a `try`
 *
 * A call of `caught` means what the innermost clause around it has caught. The exception of another clause is what
 *
 *     (try (result exnref) (do (rethrow $other)) (catch_all (call $mvvm.caught)))
 *
 * gives, which nothing that moves code can take for anything else, and which costs nothing once it is translated back.
 */

import type { Type } from '../binaryen.js';
import { exnref, none } from '../expressions.js';

/** A function that stands for an instruction, imported from the module in which all names are ours. */
export interface StandIn {
  readonly base: string;
  readonly params: Type;
  readonly results: Type;
}

export const caught: StandIn = { base: 'caught', params: none, results: exnref };
export const throwRef: StandIn = { base: 'throw_ref', params: exnref, results: none };

export const standIns: readonly StandIn[] = [caught, throwRef];
