/**
 * Locals that are computed at a function's begin from others that never change, as addresses in its stack frame are, are
 * computed where they are used:
 *
 *     (local.set $a (i32.add (local.get $sp) (i32.const 80))) ... (local.get $a)
 *
 * becomes
 *
 *     ... (i32.add (local.get $sp) (i32.const 80))
 *
 * An optimising engine makes the same code of both: it computes such a value once, outside of loops. But it does not know that
 * a frame comes back with the same value, and so would carry the local along every way back, and keep it on its stack. And it
 * need not be saved.
 *
 * A local that something is compared with stays: it may be the end of a counted loop (counted-loop.ts).
 */

import { api, type Expr } from '../ir/binaryen.js';
import {
  binaryOperation,
  childrenOf,
  constantOf,
  hiddenLocals,
  i32,
  isOpaque,
  isTee,
  kindOf,
  localIndex,
  operandLocal,
  typeOf,
  typeParts,
} from '../ir/expressions.js';
import type { Maker } from '../ir/make.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { isComparison } from '../ir/ranges.js';
import { hasAtMost, rewrite, some, walk } from '../ir/walk.js';

/** A local that is used more often is kept, since each use takes some bytes more. */
const MOST_USES = 8;
/** So many expressions a value is computed from at most. */
const LARGEST_VALUE = 5;

/** @param copy of its code, which may differ in what does not assign such locals: the same are inlined there */
export function inlineDerivedLocals(module: IrModule, fn: FunctionInfo, copy?: FunctionInfo): void {
  const body = module.body(fn);
  const derived = new DerivedLocals(module.make, typeParts(fn.params).length, module.localTypes(fn).length, body).found;
  if (derived.size === 0) return;
  const inline = (expr: Expr): Expr => {
    const kind = kindOf(expr);
    const value = kind === 'LocalGet' || kind === 'LocalSet' ? derived.get(localIndex(expr)) : undefined;
    if (value === undefined) return expr;
    if (kind === 'LocalGet') return module.copyExpression(value);
    const [assigned] = childrenOf(expr);
    if (assigned === undefined || isTee(expr)) return assigned ?? expr;
    return some(assigned, isSet) ? module.make.drop(assigned) : module.make.nop();
  };
  for (const one of copy === undefined ? [fn] : [fn, copy]) module.setBody(one, rewrite(module.body(one), inline));
}

const isSet = (expr: Expr): boolean => kindOf(expr) === 'LocalSet';

/** Code without branches. */
const straight: ReadonlySet<string> = new Set([
  ...['Block', 'Nop', 'Drop', 'Select', 'Const', 'Unary', 'Binary', 'Load', 'Store', 'Call', 'CallIndirect'],
  ...['LocalGet', 'LocalSet', 'GlobalGet', 'GlobalSet'],
]);

/** Goes over what is always evaluated first, to the first branch or loop, in the order of evaluation. */
class DerivedLocals {
  /** By local, what it is computed from: constants, and locals that never change once they are read. */
  readonly found = new Map<number, Expr>();
  readonly #make: Maker;
  readonly #params: number;
  readonly #sets = new Map<number, number>();
  readonly #gets = new Map<number, number>();
  /** Locals that stay. */
  readonly #kept = new Set<number>();
  readonly #wasRead = new Set<number>();
  /** What locals are where control is, by constants and locals that never change. */
  readonly #values = new Map<number, Expr>();
  readonly #operations: ReadonlyMap<number, (left: Expr, right: Expr) => Expr>;
  #isStraight = true;

  /**
   * @param params the number of parameters
   * @param locals the number of locals, parameters included
   */
  constructor(make: Maker, params: number, locals: number, body: Expr) {
    this.#make = make;
    this.#params = params;
    this.#operations = new Map([
      [api.AddInt32, (left: Expr, right: Expr) => make.add(left, right)],
      [api.SubInt32, (left: Expr, right: Expr) => make.sub(left, right)],
      [api.AndInt32, (left: Expr, right: Expr) => make.and(left, right)],
      [api.OrInt32, (left: Expr, right: Expr) => make.or(left, right)],
    ]);
    walk(body, (expr) => {
      const counts = { LocalGet: this.#gets, LocalSet: this.#sets }[kindOf(expr)];
      counts?.set(localIndex(expr), (counts.get(localIndex(expr)) ?? 0) + 1);
      if (isComparison(expr)) for (const operand of childrenOf(expr)) this.#keep(operandLocal(operand));
      if (isOpaque(expr)) for (const local of hiddenLocals(expr, locals)) this.#keep(local);
    });
    this.#visit(body);
  }

  #keep(local: number | undefined): void {
    if (local !== undefined) this.#kept.add(local);
  }

  /** @returns the value, by constants and locals that never change */
  #visit(expr: Expr): Expr | undefined {
    if (!straight.has(kindOf(expr))) this.#isStraight = false;
    const values: (Expr | undefined)[] = [];
    for (const child of childrenOf(expr)) {
      if (!this.#isStraight) return undefined;
      values.push(this.#visit(child));
    }
    return this.#isStraight ? this.#evaluate(expr, values) : undefined;
  }

  #evaluate(expr: Expr, [first, second]: readonly (Expr | undefined)[]): Expr | undefined {
    switch (kindOf(expr)) {
      case 'Const':
        return typeOf(expr) === i32 ? this.#make.const(constantOf(expr)) : undefined;
      case 'LocalGet':
        this.#wasRead.add(localIndex(expr));
        return typeOf(expr) === i32 ? this.#readLocal(localIndex(expr)) : undefined;
      case 'LocalSet':
        this.#assign(localIndex(expr), first);
        return first;
      case 'Binary': {
        const operation = this.#operations.get(binaryOperation(expr));
        if (operation === undefined || first === undefined || second === undefined) return undefined;
        const value = operation(first, second);
        return hasAtMost(LARGEST_VALUE, [value]) ? value : undefined;
      }
      default:
        return undefined;
    }
  }

  #readLocal(local: number): Expr | undefined {
    const neverChanges = local < this.#params && !this.#sets.has(local);
    return neverChanges ? this.#make.get(local, i32) : this.#values.get(local);
  }

  #assign(local: number, value: Expr | undefined): void {
    const changesOnce = local >= this.#params && this.#sets.get(local) === 1 && !this.#wasRead.has(local);
    const mayGo = !this.#kept.has(local) && (this.#gets.get(local) ?? 0) <= MOST_USES;
    if (changesOnce && mayGo && value !== undefined && kindOf(value) === 'Binary') this.found.set(local, value);
    const known = changesOnce && !this.found.has(local) ? this.#make.get(local, i32) : value;
    if (known === undefined) this.#values.delete(local);
    else this.#values.set(local, known);
  }
}
