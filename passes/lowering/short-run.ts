/**
 * Short runs of counted loops are not counted: a loop that is about to end after a few iterations is run as it was, by a
 * copy of it that has no poll. What that saves is not the poll, which a strip does without as well, but all that goes with
 * it: the counter in a register, the strip's end in another, and the loop around the strips, at whose head an engine looks
 * at its stack and brings together what two ways have left in locals:
 *
 *     (block $exit
 *       (block $few
 *         (br_if $few <few iterations are left>)
 *         (loop $again
 *           <strip>                                         ;; goes to $exit if the loop has come to its end
 *           <fire>
 *           (br_if $again (i32.eqz <few iterations are left>))))
 *       <copy of the loop>)
 *
 * Whether few are left is asked again after each poll, for a frame that comes back there asks as well.
 *
 * Only where frames come back in a twin (twins.ts), in all of a function or in its twinned loops: among ways back into a
 * function's code, a second copy of a loop can make an engine keep everything on the stack in both. The twin itself, which
 * must count alike, has no copy but a strip that goes to the loop's end without counting.
 *
 * A request is answered later by that: between two passings of counted points a program may run through as many iterations
 * more as `uncountedIterations` (ir/short-loops.ts) says, for each innermost loop. Cycles around such a loop have points of
 * their own.
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
  /** Iterations that a short run may have; 0 where all are counted. */
  readonly shortRun: number;
  /** Whether frames come back into this code: then short runs have no copy of the loop, and slow paths are behind loops. */
  readonly comesBackHere: boolean;
  newLabel(what: string): string;
  emitRegion(region: Region, prelude: readonly Expr[]): Expr[];
}

/** A loop with more expressions is not copied; what is saved is little beside what it does. */
const LARGEST_COPY = 120;

export interface ShortRun {
  /** Whether few iterations are left. */
  makeIsNext(): Expr;
  readonly copy: Expr | undefined;
}

/**
 * To be made before the strips, which make the loop test against another end.
 * @returns undefined where all iterations are counted
 */
export function makeShortRun(
  loop: LoopItem,
  gate: Gate,
  counted: CountedLoop,
  context: ShortRunContext,
): ShortRun | undefined {
  const count = gate === 'counted' ? context.shortRun : 0;
  if (count === 0 || !hasAtMost(LARGEST_COPY, statementsOf(loop.body))) return undefined;
  return {
    makeIsNext: () => counted.makeIsShort(count),
    copy: context.comesBackHere ? undefined : emitCopy(loop, context),
  };
}

/** A copy of a loop whose body consists of statements alone. */
function emitCopy({ name, body }: LoopItem, { module, newLabel, emitRegion }: ShortRunContext): Expr {
  const copy = statementsOf(body).map((expr): Item => ({ kind: 'statement', expr: module.copyExpression(expr) }));
  const loop = module.make.loop(name, emitRegion(copy, []));
  relabel(loop, () => newLabel('short'));
  return loop;
}
