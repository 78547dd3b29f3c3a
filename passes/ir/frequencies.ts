/**
 * Guesses how often the code of a function is run for each time that the function is called: a loop is run through some
 * times, and each of the places that a switch goes to is reached as often as the others. Other branches tell nothing: what
 * is skipped may be what goes wrong or what is there to be done, and code taken for idle that is busy is the worse mistake.
 *
 * One pass in the order of evaluation. What comes to the end of a block is what falls through and what branches bring, and
 * no more than what came to its begin.
 */

import type { Expr } from './binaryen.js';
import { childrenOf, kindOf, labelOf, targetsOf, typeOf, unreachable } from './expressions.js';

/** How many more iterations a loop is taken to have than the code around it is run. */
export const ITERATIONS = 8;

export interface Frequencies {
  /** Number of expressions. */
  readonly size: number;
  /** How often they are run in one call, all together. */
  readonly work: number;
  /** Runs of the code that is run most. */
  readonly peak: number;
  /** Runs in one call, of loops (their iterations) and calls. */
  readonly of: ReadonlyMap<Expr, number>;
}

export function guessFrequencies(body: Expr): Frequencies {
  const guess = new Guess();
  guess.visit(body);
  return guess;
}

class Guess implements Frequencies {
  size = 0;
  work = 0;
  peak = 1;
  readonly of = new Map<Expr, number>();
  /** How often control comes to where it is now. */
  #now = 1;
  /** How often branches come to the end of a block, by its label. */
  readonly #reached = new Map<string, number>();

  visit(expr: Expr): void {
    this.size += 1;
    this.work += this.#now;
    this.peak = Math.max(this.peak, this.#now);
    const kind = kindOf(expr);
    if (kind === 'Loop') this.#visitLoop(expr);
    else if (kind === 'If' || kind === 'Try') this.#visitArms(expr);
    else {
      const before = this.#now;
      for (const child of childrenOf(expr)) this.visit(child);
      if (kind === 'Block') this.#now = Math.min(before, this.#now + (this.#reached.get(labelOf(expr) ?? '') ?? 0));
      else if (kind === 'Call' || kind === 'CallIndirect') this.of.set(expr, this.#now);
      else if (kind === 'Break' || kind === 'Switch') this.#branch(expr);
    }
    if (typeOf(expr) === unreachable) this.#now = 0;
  }

  #visitLoop(loop: Expr): void {
    const before = this.#now;
    this.#now *= ITERATIONS;
    this.of.set(loop, this.#now);
    for (const child of childrenOf(loop)) this.visit(child);
    this.#now = before;
  }

  /** All arms but the condition begin alike; one of them is run to its end, or what is behind is skipped. */
  #visitArms(expr: Expr): void {
    const arms = childrenOf(expr);
    const condition = kindOf(expr) === 'If' ? arms.shift() : undefined;
    if (condition !== undefined) this.visit(condition);
    const before = this.#now;
    for (const arm of arms) {
      this.#now = before;
      this.visit(arm);
    }
    this.#now = before;
  }

  #branch(branch: Expr): void {
    const targets = targetsOf(branch);
    for (const name of targets) this.#reached.set(name, (this.#reached.get(name) ?? 0) + this.#now / targets.length);
  }
}
