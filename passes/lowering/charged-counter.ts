/** What loops that count as a whole (charge-loops.ts) leave of the counter. */

import type { Expr } from '../ir/binaryen.js';
import type { Maker } from '../ir/make.js';

/** `count < counter ? counter - count : 1`: the next point opens the gate then. */
export function makeCharged(make: Maker, makeCounter: () => Expr, makeCount: () => Expr): Expr {
  const isLess = make.lessUnsigned(makeCount(), makeCounter());
  return make.select(isLess, make.sub(makeCounter(), makeCount()), make.const(1));
}
