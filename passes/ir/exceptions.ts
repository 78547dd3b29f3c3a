/** Looking at exceptions in their older form: `try`, `catch`, `delegate`, `throw`, `rethrow`, `pop`. */

import { api, asExpr, asType, type Expr, rawFunction, type Type } from './binaryen.js';
import { childrenOf, kindOf, none, setChild, typeOf } from './expressions.js';
import type { FunctionInfo, IrModule } from './module.js';
import { walk } from './walk.js';

/** A `catch`, or a `catch_all`, which has no tag. */
export interface Clause {
  readonly tag: string | undefined;
  readonly body: Expr;
}

const tryBody = rawFunction('TryGetBody');
const catchBodyAt = rawFunction('TryGetCatchBodyAt');
const countCatchBodies = rawFunction('TryGetNumCatchBodies');
const countCatchTags = rawFunction('TryGetNumCatchTags');

export const bodyOfTry = (expr: Expr): Expr => asExpr(tryBody(expr));

/** The name by which `rethrow` and `delegate` know a try. */
export function tryName(expr: Expr): string | undefined {
  const name = api.Try.getName(expr);
  return name === null || name === '' ? undefined : name;
}

/** Where a try without clauses sends what its body throws: the name of a try around it, or Binaryen's for the caller. */
export function delegateTarget(expr: Expr): string | undefined {
  return api.Try.isDelegate(expr) ? api.Try.getDelegateTarget(expr) : undefined;
}

/** In the order in which they are looked at; `catch_all` is the last. */
export function clausesOf(expr: Expr): Clause[] {
  const tags = countCatchTags(expr);
  return Array.from({ length: countCatchBodies(expr) }, (_, index) => ({
    tag: index < tags ? api.Try.getCatchTagAt(expr, index) : undefined,
    body: asExpr(catchBodyAt(expr, index)),
  }));
}

export const thrownTag = (expr: Expr): string => api.Throw.getTag(expr);

/** The type of what an exception of this tag carries, `none` for nothing. */
export function payloadOf(module: IrModule, tag: string): Type {
  return asType(rawFunction('TagGetParams')(module.tag(tag)));
}

/** Names of the tags that the module throws, catches or exports, each once, in order. */
export function findTags(module: IrModule): string[] {
  const tags = new Set<string>();
  for (const fn of module.definedFunctions()) {
    walk(module.body(fn), (expr) => {
      if (kindOf(expr) === 'Throw') tags.add(thrownTag(expr));
      if (kindOf(expr) === 'Try') for (const { tag } of clausesOf(expr)) if (tag !== undefined) tags.add(tag);
    });
  }
  for (const { kind, item } of module.exports()) if (kind === 'tag') tags.add(item);
  return [...tags];
}

/**
 * Takes the `pop` out of each clause's body: what was caught goes to a local before anything else.
 *
 *     (catch $e (call $f (pop i32)))     becomes     (catch $e (local.set $x (pop i32)) (call $f (local.get $x)))
 *
 * @returns whether there was any
 */
export function hoistPops(module: IrModule, fn: FunctionInfo, root: Expr): boolean {
  let found = false;
  for (const child of childrenOf(root)) if (hoistPops(module, fn, child)) found = true;
  if (kindOf(root) !== 'Try') return found;
  for (const [index, { body, tag }] of clausesOf(root).entries()) {
    const type = tag === undefined ? none : payloadOf(module, tag);
    if (type === none) continue;
    const local = module.addLocal(fn, type);
    const rest = replacePop(module, body, local);
    setChild(root, index, module.make.functionBody([module.make.set(local, module.make.pop(type)), rest]));
    found = true;
  }
  return found;
}

/** A clause's body that reads a local where it has its `pop`. */
export function replacePop(module: IrModule, body: Expr, local: number): Expr {
  const pop = findPop(body);
  if (pop === undefined) return body;
  const value = module.make.get(local, typeOf(pop.expr));
  if (pop.parent === undefined) return value;
  setChild(pop.parent, pop.index, value);
  return body;
}

interface Place {
  readonly expr: Expr;
  readonly parent: Expr | undefined;
  readonly index: number;
}

/** The `pop` of a clause: there is one at most, beside those of the clauses inside. */
function findPop(expr: Expr, parent?: Expr, index = 0): Place | undefined {
  if (kindOf(expr) === 'Pop') return { expr, parent, index };
  if (kindOf(expr) === 'Try') return undefined;
  for (const [at, child] of childrenOf(expr).entries()) {
    const found = findPop(child, expr, at);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether a statement is what {@link hoistPops} makes: nothing may come before it in its clause. */
export function isHoistedPop(expr: Expr): boolean {
  if (kindOf(expr) !== 'LocalSet') return false;
  const [value] = childrenOf(expr);
  return value !== undefined && kindOf(value) === 'Pop';
}
