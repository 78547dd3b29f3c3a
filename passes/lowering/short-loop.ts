/**
 * Short runs of counted loops are not counted: a loop that is about to end after a few iterations is run as it was, by a
 * copy of it that has no poll. What that saves is not the poll, which a strip does without as well, but all that goes with
 * it: the counter in a register, the strip's end in another, and the slow path for which everything would be kept at hand.
 *
 * A request is answered later by that: between two passings of counted points a program may run through as many iterations
 * more as {@link uncountedIterations} says, for each innermost loop. Cycles around such a loop have points of their own.
 */

import type { Expr } from '../ir/binaryen.js';
import type { Gate } from '../ir/marks.js';
import type { IrModule } from '../ir/module.js';
import { relabel } from '../ir/relabel.js';
import { hasAtMost } from '../ir/walk.js';
import type { CountedLoop } from './counted-loop.js';
import { type Item, type LoopItem, type Region, statementsOf } from './linear-code.js';

/** What the emitter of a function lends. */
export interface ShortRunContext {
  readonly module: IrModule;
  readonly thresholdBits: number;
  newLabel(what: string): string;
  emitRegion(region: Region, prelude: readonly Expr[]): Expr[];
}

const MOST_UNCOUNTED = 64;
/** Uncounted iterations are fewer than counted ones by so many bits: gates that open often stay exact. */
const BITS_BELOW_GATE = 10;

/** A loop with more expressions is not copied; what is saved is little beside what it does. */
const LARGEST_COPY = 120;

/**
 * The run of a loop that has few iterations left; leaves the loop's code by `exit`:
 *
 *     (block $long
 *       (br_if $long (i32.eqz <few iterations are left>))
 *       (loop <copy of the loop>)
 *       (br $exit))
 */
export function emitShortRun(
  loop: LoopItem,
  gate: Gate,
  counted: CountedLoop,
  exit: string,
  context: ShortRunContext,
): Expr[] {
  const { make } = context.module;
  const count = gate === 'counted' ? uncountedIterations(context.thresholdBits) : 0;
  if (count === 0 || !hasAtMost(LARGEST_COPY, statementsOf(loop.body))) return [];
  const long = context.newLabel('long');
  const skip = make.brIf(long, make.eqz(counted.makeIsShort(count)));
  return [make.block(long, [skip, emitCopy(loop, context), make.br(exit)])];
}

/** Iterations after the first that a counted gate need not see; 0 when it must see all. */
function uncountedIterations(thresholdBits: number): number {
  return thresholdBits <= BITS_BELOW_GATE ? 0 : Math.min(MOST_UNCOUNTED, 2 ** (thresholdBits - BITS_BELOW_GATE));
}

/** A copy of a loop whose body consists of statements alone. */
function emitCopy({ name, body }: LoopItem, { module, newLabel, emitRegion }: ShortRunContext): Expr {
  const copy = statementsOf(body).map((expr): Item => ({ kind: 'statement', expr: module.copyExpression(expr) }));
  const loop = module.make.loop(name, emitRegion(copy, []));
  relabel(loop, () => newLabel('short'));
  return loop;
}
