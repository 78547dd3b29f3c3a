/**
 * Recognises counted loops: loops whose number of iterations is known when they are entered, because nothing but the test
 * at their end leaves them, and what it tests goes up or down by a constant once in each iteration (ir/loop-counter.ts).
 *
 * Such a loop needs no poll inside (strip mining, see emit-loop.ts): it is run in strips that end where the poll is
 * due. All it takes is to test against the end of the strip instead of the loop's own.
 *
 * It recognises tests for `i != end` where the step is a power of two, and for `i < end` where it is 1: with a larger step
 * the counter could jump over the largest number and go on.
 */

import type { Expr } from '../ir/binaryen.js';
import { constantOf, i32, kindOf, localIndex, setChild } from '../ir/expressions.js';
import { type LoopTest, readCountedLoop } from '../ir/loop-counter.js';
import type { Maker } from '../ir/make.js';
import type { IrModule } from '../ir/module.js';
import { holdsCharge } from './charge-loops.js';
import { type LoopItem, statementsOf } from './linear-code.js';

export interface CountedLoop {
  /** The local that counts, and what is added to it in each iteration. */
  readonly counter: number;
  readonly step: number;
  /** How many iterations follow the one that is about to begin. */
  makeRemaining(): Expr;
  /** Whether these are fewer than `count`; may say no where they are. @param count at most 2^16 */
  makeIsShort(count: number): Expr;
  /** The value that the counter is tested against. */
  makeEnd(): Expr;
  /** Makes the loop test against a local instead. */
  testAgainst(limit: number): void;
}

/** @returns undefined when the loop is not counted, or not in a form that is recognised */
export function recogniseCountedLoop(module: IrModule, loop: LoopItem): CountedLoop | undefined {
  const statements = statementsOf(loop.body);
  if (statements.length !== loop.body.length) return undefined;
  const found = readCountedLoop(loop.name, statements, module.usesExceptions);
  if (found === undefined || statements.some(holdsCharge)) return undefined;
  const { counter, step, test, end, backEdge, condition } = found;

  const fixed = end?.value;
  const { make } = module;
  const makeEnd = (): Expr => {
    if (fixed === undefined) return make.const(0);
    return kindOf(fixed) === 'Const' ? make.const(constantOf(fixed)) : make.get(localIndex(fixed), i32);
  };
  return {
    counter,
    step,
    makeEnd,
    makeRemaining: () => makeRemaining(make, test, () => make.get(counter, i32), makeEnd, step),
    makeIsShort: (count) =>
      make.lessUnsigned(
        makeTurns(make, makeDistance(make, make.get(counter, i32), makeEnd(), step), step),
        make.const(count),
      ),
    testAgainst(limit) {
      if (end === undefined) setChild(backEdge, 0, make.notEqual(condition, make.get(limit, i32)));
      else setChild(condition, end.operand, make.get(limit, i32));
    },
  };
}

/**
 * For `i != end`: `(end - i - step) / step`, and as many as can be where that leaves a remainder, because then the loop
 * runs on and on. For `i < end`, whose step is 1: `i + 1 < end ? end - i - 1 : 0`.
 */
function makeRemaining(make: Maker, test: LoopTest, now: () => Expr, makeEnd: () => Expr, step: number): Expr {
  const next = (): Expr => make.add(now(), make.const(step));
  if (test !== 'not-equal') {
    const goesOn = test === 'less-signed' ? make.lessSigned(next(), makeEnd()) : make.lessUnsigned(next(), makeEnd());
    return make.select(goesOn, make.sub(makeEnd(), next()), make.const(0));
  }
  const distance = (): Expr => makeDistance(make, now(), makeEnd(), step);
  const size = Math.abs(step);
  if (size === 1) return distance();
  const whole = make.shiftRight(distance(), make.const(Math.log2(size)));
  return make.select(make.and(distance(), make.const(size - 1)), make.const(-1), whole);
}

/** From where the next iteration's counter will be to the end. */
function makeDistance(make: Maker, now: Expr, end: Expr, step: number): Expr {
  const next = make.add(now, make.const(step));
  return step > 0 ? make.sub(end, next) : make.sub(next, end);
}

/** `distance / step`, and a number above 2^16 where that leaves a remainder: such a counter never meets the end. */
function makeTurns(make: Maker, distance: Expr, step: number): Expr {
  const size = Math.abs(step);
  return size === 1 ? distance : make.rotateRight(distance, Math.log2(size));
}
