/** Putting marks into functions: what placement passes share. */

import type { PassContext } from '../pass.js';
import type { Expr } from './binaryen.js';
import { isHoistedPop } from './exceptions.js';
import { childrenOf, kindOf, labelOf, none, setChild, typeOf, unreachable } from './expressions.js';
import { headMark, type Mark } from './marks.js';
import type { FunctionInfo } from './module.js';
import { rewrite, walk } from './walk.js';

/** `expr` with a mark before it: `(block (call $mvvm.point...) expr)`. */
export function markBefore(context: PassContext, mark: Mark, expr: Expr): Expr {
  return context.module.make.valueBlock(null, [context.marker.make(mark), expr], typeOf(expr));
}

/** Marks the head of a loop, unless it has a mark already. */
export function markLoop(context: PassContext, loop: Expr, mark: Mark): void {
  const [body] = childrenOf(loop);
  if (body === undefined || headMark(body) !== undefined) return;
  setChild(loop, 0, markBefore(context, mark, body));
}

/** Marks the head of each loop that can repeat and has no mark yet, but for those that are left out of a function. */
export function markLoops(
  context: PassContext,
  mark: Mark,
  leftOut: (fn: FunctionInfo) => ReadonlySet<Expr> = () => new Set(),
): void {
  for (const fn of context.module.definedFunctions()) {
    const without = leftOut(fn);
    walk(context.module.body(fn), (expr) => {
      if (kindOf(expr) === 'Loop' && labelOf(expr) !== undefined && !without.has(expr)) markLoop(context, expr, mark);
    });
  }
}

/** Marks the entry of a function, unless it has a mark already. */
export function markEntry(context: PassContext, fn: FunctionInfo, mark: Mark): void {
  const body = context.module.body(fn);
  if (headMark(body)?.kind === 'entry') return;
  context.module.setBody(fn, markBefore(context, mark, body));
}

/** Puts a mark before each expression of a function that `test` chooses. */
export function markWhere(context: PassContext, fn: FunctionInfo, mark: Mark, test: (expr: Expr) => boolean): void {
  const { module } = context;
  const wants = (expr: Expr): boolean => test(expr) && !isHoistedPop(expr);
  const body = rewrite(module.body(fn), (expr) => (wants(expr) ? markBefore(context, mark, expr) : expr));
  module.setBody(fn, body);
}

/** Whether an expression does something and is not only a frame around others. */
export function isStatement(expr: Expr): boolean {
  const kind = kindOf(expr);
  return typeOf(expr) === none || typeOf(expr) === unreachable ? !['Block', 'Loop', 'Nop'].includes(kind) : false;
}
