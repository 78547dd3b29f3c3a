/**
 * Guesses which code of a module is busy: run so often that its speed matters more than its size. What stable points cost
 * a program's speed they cost in such code, and what they cost a module's size is mostly elsewhere, so the two are lowered
 * differently:
 *
 *                                    busy                                    idle
 *     loops without points inside    count in a local, where an iteration    count in the global, at their head
 *                                    ends, in strips
 *     stale locals                   are set to zero                         stay as they are
 *     polls                          in place                                one call, mostly
 *     what loops count as a whole    is taken in place                       by a call
 *
 * and busy functions may have a twin (twins.ts).
 *
 * A function's code is guessed by itself (ir/frequencies.ts), and functions by where they are called most. In a function of
 * many loops, few can be what it spends its time in: the more it has, the more often one must be run to be busy.
 */

import type { Expr } from '../ir/binaryen.js';
import { type CallGraph, signatureKey } from '../ir/call-graph.js';
import { callTarget, indirectParams, indirectResults, kindOf } from '../ir/expressions.js';
import { type Frequencies, guessFrequencies, ITERATIONS } from '../ir/frequencies.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';

/** Estimates beyond this tell nothing. */
const MOST_OFTEN = ITERATIONS ** 6;
/** Rounds in which how often callers run reaches their callees. */
const ROUNDS = 4;
/** From here on code is busy: a loop that a program runs through once is, in a function of few loops. */
const BUSY = ITERATIONS / 2;

/** By how often its innermost code is run: from here on a function is likely to be what a program spends its time in. */
export const OFTEN: number = ITERATIONS ** 4;

/** In a function of many loops, one must be run so often for each of them. */
const BUSY_OF_MANY = 1.25;

/** What a function does, and how often it is called. */
export interface Activity extends Pick<Frequencies, 'size' | 'work' | 'peak'> {
  readonly info: FunctionInfo;
  readonly calls: number;
}

/** The busy code of a function. */
export interface Busy {
  /** Whether all of it is. */
  readonly isFunction: boolean;
  /** Loops, and calls. */
  readonly expressions: ReadonlySet<Expr>;
  /** Loops that are run so often that ways back into them cost much, see twins.ts. */
  readonly hotLoops: ReadonlySet<Expr>;
}

export class BusyCode {
  readonly functions: readonly Activity[];
  readonly #frequencies: Map<string, Frequencies>;
  readonly #calls: Map<string, number>;
  readonly #least: number;

  /** @param sizeLevel above 0, nothing is busy: all code shall be small */
  constructor(module: IrModule, graph: CallGraph, sizeLevel = 0) {
    this.#least = sizeLevel > 0 ? Number.POSITIVE_INFINITY : BUSY;
    const guesses = graph.functions().map((info) => ({ info, frequencies: guessFrequencies(module.body(info)) }));
    const callees = guesses.map(({ info, frequencies }): [string, Calls] => [
      info.name,
      callsOf(info.name, frequencies, graph),
    ]);
    this.#frequencies = new Map(guesses.map(({ info, frequencies }) => [info.name, frequencies]));
    this.#calls = guessCalls(callees);
    this.functions = guesses.map(({ info, frequencies: { size, work, peak } }) => {
      return { info, size, work, peak, calls: this.#callsOf(info.name) };
    });
  }

  /** A copy of a function is run as often. @param body its code, still as it was */
  addCopy(name: string, copy: string, body: Expr): void {
    this.#frequencies.set(copy, guessFrequencies(body));
    this.#calls.set(copy, this.#callsOf(name));
  }

  /** Whether more calls, be it in code that is not busy, would slow a function down: around a call values leave their registers. */
  mindsCalls(name: string): boolean {
    const often = (this.#frequencies.get(name)?.peak ?? 0) * this.#callsOf(name);
    return often >= OFTEN && Number.isFinite(this.#least);
  }

  /**
   * @param name of a function whose loops and calls are still as they were
   * @param hot runs from which on a loop is hot
   */
  findIn(name: string, hot: number = Number.POSITIVE_INFINITY): Busy {
    const of: Frequencies['of'] = this.#frequencies.get(name)?.of ?? new Map();
    const calls = this.#callsOf(name);
    const loops = [...of.keys()].filter((expr) => kindOf(expr) === 'Loop');
    const least = Math.max(this.#least, loops.length * (calls > 1 ? 1 : BUSY_OF_MANY)) / calls;
    const busy = [...of].filter(([, often]) => often >= least);
    return {
      isFunction: least <= 1,
      expressions: new Set(busy.map(([expr]) => expr)),
      hotLoops: new Set(loops.filter((loop) => calls * (of.get(loop) ?? 0) >= hot)),
    };
  }

  #callsOf(name: string): number {
    return this.#calls.get(name) ?? 1;
  }
}

/** By callee, how often the call that is made most is made for each call of a function. */
type Calls = ReadonlyMap<string, number>;

/** How often each function is called from where it is called most, roughly. */
function guessCalls(callees: readonly (readonly [caller: string, Calls])[]): Map<string, number> {
  const once = (): Map<string, number> => new Map(callees.map(([name]) => [name, 1]));
  let often = once();
  for (let round = 0; round < ROUNDS; round++) {
    const next = once();
    for (const [caller, calls] of callees) {
      for (const [callee, times] of calls) {
        const before = next.get(callee);
        if (before === undefined) continue;
        next.set(callee, Math.min(MOST_OFTEN, Math.max(before, times * (often.get(caller) ?? 1))));
      }
    }
    often = next;
  }
  return often;
}

function callsOf(caller: string, { of }: Frequencies, graph: CallGraph): Calls {
  const calls = new Map<string, number>();
  let again = 0;
  for (const [expr, often] of of) {
    for (const callee of calleesOf(graph, expr)) {
      if (callee === caller) again += often;
      calls.set(callee, Math.max(calls.get(callee) ?? 0, often));
    }
  }
  // Recursion is as good as a loop, unless there is just one such call: that does something over again.
  calls.set(caller, again > 1 ? again * ITERATIONS : 0);
  return calls;
}

function calleesOf(graph: CallGraph, expr: Expr): string[] {
  const kind = kindOf(expr);
  if (kind === 'Call') return [callTarget(expr)];
  if (kind !== 'CallIndirect') return [];
  return graph.indirectCallees(signatureKey(indirectParams(expr), indirectResults(expr))).map(({ name }) => name);
}
