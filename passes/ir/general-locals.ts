/**
 * Locals of types that only Binaryen has: where it makes a local for the value of a `ref.func`, that has the exact type of
 * the function, which cannot be restored from what a frame saves. Such locals are replaced by ones of type `funcref`.
 */

import { type Expr, rawFunction, type Type } from './binaryen.js';
import { isOpaque, isTee, kindOf, localIndex, setType, withoutRefinement } from './expressions.js';
import type { FunctionInfo, IrModule } from './module.js';
import { some, walk } from './walk.js';

const setIndexOfGet = rawFunction('LocalGetSetIndex');
const setIndexOfSet = rawFunction('LocalSetSetIndex');

/** Leaves a function alone that has operations whose operands Binaryen's API does not show. */
export function generaliseLocals(module: IrModule, fn: FunctionInfo): void {
  const refined = module
    .localTypes(fn)
    .flatMap((type, index) => (withoutRefinement(type) === type ? [] : [{ index, type: withoutRefinement(type) }]));
  if (refined.length === 0 || some(module.body(fn), isOpaque)) return;
  const general = new Map(
    refined.map(({ index, type }): [number, { index: number; type: Type }] => [
      index,
      { index: module.addLocal(fn, type), type },
    ]),
  );
  walk(module.body(fn), (expr: Expr) => {
    const kind = kindOf(expr);
    const local = kind === 'LocalGet' || kind === 'LocalSet' ? general.get(localIndex(expr)) : undefined;
    if (local === undefined) return;
    if (kind === 'LocalGet') setIndexOfGet(expr, local.index);
    else setIndexOfSet(expr, local.index);
    if (kind === 'LocalGet' || isTee(expr)) setType(expr, local.type);
  });
}
