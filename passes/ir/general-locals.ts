/**
 * Locals of types that only Binaryen has: where it makes a local for the value of a `ref.func`, that has the exact type of
 * the function, which cannot be restored from what a frame saves. Such locals are replaced by ones of type `funcref`.
 *
 * In a tuple, Binaryen also lets such a value be null, and puts a `ref.as_non_null` where it is read, which not all engines
 * have. The input has none (features.ts refuses them), so all there are are of this kind and can go.
 *
 * Not replaced are locals that operations read whose operands Binaryen's API does not show, and what is assigned to those,
 * for example a function that `select` has chosen to fill a table with; nor any others beside them, where there are tuples as
 * above. Across a point, such a value is refused.
 */

import { asExpr, type Expr, rawFunction, type Type } from './binaryen.js';
import {
  childrenOf,
  finalize,
  hiddenLocals,
  isOpaque,
  isTee,
  kindOf,
  localIndex,
  setType,
  withoutRefinement,
} from './expressions.js';
import type { FunctionInfo, IrModule } from './module.js';
import { rewrite, some, walk } from './walk.js';

const checkedValue = rawFunction('RefAsGetValue');
const setIndexOfGet = rawFunction('LocalGetSetIndex');
const setIndexOfSet = rawFunction('LocalSetSetIndex');

export function generaliseLocals(module: IrModule, fn: FunctionInfo): void {
  const types = module.localTypes(fn);
  const all = types
    .map((type, index) => ({ index, type: withoutRefinement(type) }))
    .filter(({ index, type }) => type !== types[index]);
  if (all.length === 0) return;
  const kept = findKept(module.body(fn), types.length, new Set(all.map(({ index }) => index)));
  const refined = all.filter(({ index }) => !kept.has(index));
  if (refined.length === 0) return;
  // A local that is kept may need what is checked.
  if (kept.size > 0 && some(module.body(fn), (expr) => kindOf(expr) === 'RefAs')) return;
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

/**
 * Which of `refined` hidden operands read, or are assigned to such.
 * @param count of all locals
 */
function findKept(body: Expr, count: number, refined: ReadonlySet<number>): ReadonlySet<number> {
  const kept = new Set<number>();
  const sources = new Map<number, number[]>();
  walk(body, (expr) => {
    if (isOpaque(expr)) for (const local of hiddenLocals(expr, count)) if (refined.has(local)) kept.add(local);
    if (kindOf(expr) !== 'LocalSet') return;
    const read = sources.get(localIndex(expr)) ?? [];
    sources.set(localIndex(expr), read);
    for (const value of childrenOf(expr)) {
      walk(value, (part) => {
        if (kindOf(part) === 'LocalGet' && refined.has(localIndex(part))) read.push(localIndex(part));
      });
    }
  });
  // What is added on the way is visited too.
  for (const local of kept) for (const source of sources.get(local) ?? []) kept.add(source);
  return kept;
}
