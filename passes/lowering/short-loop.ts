/**
 * Short runs of counted loops are not counted: a loop that is about to end after a few iterations is run as it was, by a
 * copy of it that has no poll. What that saves is not the poll, which a strip does without as well, but all that goes with
 * it: the counter in a register, the strip's end in another, and the slow path for which everything would be kept at hand.
 *
 * A request is answered later by that: between two passings of counted points a program may run through as many iterations
 * more as {@link uncountedIterations} says, for each innermost loop. Cycles around such a loop have points of their own.
 */

import type { Expr } from '../ir/binaryen.js';
import type { IrModule } from '../ir/module.js';
import { relabel } from '../ir/relabel.js';
import { walk } from '../ir/walk.js';
import type { LoopItem } from './linear-code.js';

const MOST_UNCOUNTED = 64;
/** Uncounted iterations are fewer than counted ones by so many bits: gates that open often stay exact. */
const BITS_BELOW_GATE = 10;

/** A loop with more expressions is not copied; what is saved is little beside what it does. */
const LARGEST_COPY = 120;

/** Iterations after the first that a counted gate need not see; 0 when it must see all. */
export function uncountedIterations(thresholdBits: number): number {
  return thresholdBits <= BITS_BELOW_GATE ? 0 : Math.min(MOST_UNCOUNTED, 2 ** (thresholdBits - BITS_BELOW_GATE));
}

export function isSmall(loop: LoopItem): boolean {
  let size = 0;
  for (const item of loop.body) {
    if (item.kind === 'statement') {
      walk(item.expr, () => {
        size += 1;
      });
    }
  }
  return size <= LARGEST_COPY;
}

/**
 * A copy of a loop whose body consists of statements alone.
 * @param atExits what is to be done to statements that may leave the loop, which one can by an exception
 */
export function copyLoop(
  module: IrModule,
  { name, body }: LoopItem,
  atExits: (statement: Expr) => Expr,
  newLabel: () => string,
): Expr {
  const statements = body.flatMap((item) =>
    item.kind === 'statement' ? [atExits(module.copyExpression(item.expr))] : [],
  );
  const loop = module.make.loop(name, statements);
  relabel(loop, newLabel);
  return loop;
}
