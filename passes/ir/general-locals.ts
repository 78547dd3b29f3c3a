/**
 * Locals of types that only Binaryen has: where it makes a local for the value of a `ref.func`, that has the exact type of
 * the function, which cannot be restored from what a frame saves. Such locals are replaced by ones of type `funcref`.
 *
 * In a tuple, Binaryen also lets such a value be null, and puts a `ref.as_non_null` where it is read, which not all engines
 * have. The input has none (features.ts refuses them), so all there are are of this kind and can go.
 *
 * Not in functions with operations whose operands Binaryen's API does not show: there, such a value across a point is refused.
 */

import { asExpr, type Expr, rawFunction, type Type } from './binaryen.js';
import { finalize, isOpaque, isTee, kindOf, localIndex, setType, withoutRefinement } from './expressions.js';
import type { FunctionInfo, IrModule } from './module.js';
import { rewrite, some, walk } from './walk.js';

const checkedValue = rawFunction('RefAsGetValue');
const setIndexOfGet = rawFunction('LocalGetSetIndex');
const setIndexOfSet = rawFunction('LocalSetSetIndex');

/** Leaves a function alone that has operations whose operands Binaryen's API does not show. */
export function generaliseLocals(module: IrModule, fn: FunctionInfo): void {
  const refined = module
    .localTypes(fn)
    .flatMap((type, index) => (withoutRefinement(type) === type ? [] : [{ index, type: withoutRefinement(type) }]));
  if (refined.length === 0 || some(module.body(fn), isOpaque)) return;
  module.setBody(
    fn,
    rewrite(module.body(fn), (expr) => (kindOf(expr) === 'RefAs' ? asExpr(checkedValue(expr)) : expr)),
  );
  const general = new Map(
    refined.map(({ index, type }): [number, { index: number; type: Type }] => [
      index,
      { index: module.addLocal(fn, type), type },
    ]),
  );
  walk(module.body(fn), (expr: Expr) => {
    const kind = kindOf(expr);
    if (kind === 'TupleExtract' || kind === 'TupleMake') finalize(expr);
    const local = kind === 'LocalGet' || kind === 'LocalSet' ? general.get(localIndex(expr)) : undefined;
    if (local === undefined) return;
    if (kind === 'LocalGet') setIndexOfGet(expr, local.index);
    else setIndexOfSet(expr, local.index);
    if (kind === 'LocalGet' || isTee(expr)) setType(expr, local.type);
  });
}
