/**
 * Addresses as sums of a constant and multiples of locals, modulo 2^32, and what locals are known to hold in these terms:
 *
 *     (i32.add (i32.shl (local.get $i) (i32.const 3)) (i32.const 16))     is     16 + 8 * $i
 */

import { api, type Expr, rawFunction } from '../ir/binaryen.js';
import { childrenOf, i32, isTee, kindOf, localIndex, typeOf } from '../ir/expressions.js';
import type { Maker } from '../ir/make.js';
import { some } from '../ir/walk.js';

export interface Sum {
  /** Signed, of 32 bits. */
  readonly constant: number;
  /** Factors by local; none is 0. */
  readonly terms: ReadonlyMap<number, number>;
}

/** Longer sums are not worth looking at: they are made anew wherever they are needed. */
const MOST_TERMS = 3;

const binaryOperation = rawFunction('BinaryGetOp');
const constantOf = rawFunction('ConstGetValueI32');

export function localSum(local: number): Sum {
  return { constant: 0, terms: new Map([[local, 1]]) };
}

/**
 * The value of an expression of type i32, as a sum of what locals hold once it was evaluated.
 * @param known what a local is known to hold, where that is a sum
 */
export function sumOf(expr: Expr, known: (local: number) => Sum | undefined): Sum | undefined {
  if (typeOf(expr) !== i32) return undefined;
  switch (kindOf(expr)) {
    case 'Const':
      return { constant: constantOf(expr), terms: new Map() };
    case 'LocalGet':
      return known(localIndex(expr)) ?? localSum(localIndex(expr));
    case 'LocalSet':
      return isTee(expr) ? (known(localIndex(expr)) ?? localSum(localIndex(expr))) : undefined;
    case 'Binary':
      return binarySum(expr, known);
    default:
      return undefined;
  }
}

function binarySum(expr: Expr, known: (local: number) => Sum | undefined): Sum | undefined {
  const operands = childrenOf(expr);
  const [left, right] = operands.map((child) => sumOf(child, known));
  if (left === undefined || right === undefined || changesWhatWasRead(operands)) return undefined;
  switch (binaryOperation(expr)) {
    case api.AddInt32:
      return plus(left, right, 1);
    case api.SubInt32:
      return plus(left, right, -1);
    case api.ShlInt32:
      return right.terms.size === 0 ? times(left, 1 << right.constant) : undefined;
    case api.MulInt32:
      if (left.terms.size === 0) return times(right, left.constant);
      return right.terms.size === 0 ? times(left, right.constant) : undefined;
    default:
      return undefined;
  }
}

/** Whether evaluating the second operand assigns a local that the first one has read. */
function changesWhatWasRead([first, second]: readonly Expr[]): boolean {
  if (first === undefined || second === undefined) return false;
  const read = (local: number): boolean =>
    some(first, (expr) => kindOf(expr) === 'LocalGet' && localIndex(expr) === local);
  return some(second, (expr) => kindOf(expr) === 'LocalSet' && read(localIndex(expr)));
}

/** `left + factor * right` */
export function plus(left: Sum, right: Sum, factor: number): Sum | undefined {
  const terms = new Map(left.terms);
  for (const [local, by] of right.terms) {
    const sum = ((terms.get(local) ?? 0) + Math.imul(by, factor)) | 0;
    if (sum === 0) terms.delete(local);
    else terms.set(local, sum);
  }
  if (terms.size > MOST_TERMS) return undefined;
  return { constant: (left.constant + Math.imul(right.constant, factor)) | 0, terms };
}

function times(sum: Sum, factor: number): Sum {
  const terms = new Map<number, number>();
  for (const [local, by] of sum.terms) {
    const product = Math.imul(by, factor);
    if (product !== 0) terms.set(local, product);
  }
  return { constant: Math.imul(sum.constant, factor), terms };
}

/** Identifies the terms of a sum. */
export function keyOf({ terms }: Sum): string {
  return [...terms]
    .sort(([a], [b]) => a - b)
    .map(([local, by]) => `${local}*${by}`)
    .join(' ');
}

export function makeSum(make: Maker, { constant, terms }: Sum): Expr {
  const parts = [...terms].map(([local, by]) => {
    const value = make.get(local, i32);
    if (by === 1) return value;
    const bits = Math.log2(by);
    return Number.isInteger(bits) ? make.shiftLeft(value, bits) : make.multiply(value, make.const(by));
  });
  if (constant !== 0 || parts.length === 0) parts.push(make.const(constant));
  return parts.reduce((sum, part) => make.add(sum, part));
}
