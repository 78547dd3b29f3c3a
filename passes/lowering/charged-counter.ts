/** Code that takes from the counter what loops count that count as a whole (charge-loops.ts). */

import type { Expr } from '../ir/binaryen.js';
import { i32 } from '../ir/expressions.js';
import type { Maker } from '../ir/make.js';
import { uncountedIterations } from '../ir/short-loops.js';
import { globals } from './support-names.js';

/** `count < counter ? counter - count : 1`: the next point opens the gate then. */
export function makeCharged(make: Maker, makeCounter: () => Expr, makeCount: () => Expr): Expr {
  const isLess = make.lessUnsigned(makeCount(), makeCounter());
  return make.select(isLess, make.sub(makeCounter(), makeCount()), make.const(1));
}

/** Takes so much from the counter. */
export function makeTakeInPlace(make: Maker, makeCount: () => Expr): Expr {
  return make.globalSet(
    globals.counter,
    makeCharged(make, () => make.globalGet(globals.counter), makeCount),
  );
}

/** The same, computed by a call. @param charge the support function */
export function makeTake(make: Maker, charge: string, count: Expr): Expr {
  return make.globalSet(globals.counter, make.call(charge, [make.globalGet(globals.counter), count], i32));
}

/** Does it if a scan has had so many iterations that they count. */
export function makeIfLong(make: Maker, thresholdBits: number, iterations: Expr, take: Expr): Expr {
  return make.if(make.lessUnsigned(make.const(uncountedIterations(thresholdBits)), iterations), [take]);
}
