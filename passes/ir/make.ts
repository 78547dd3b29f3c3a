/** Building expressions: Binaryen's builder with branded types, and the few shapes that lowering needs often. */

import type { ReferenceType, SlotType } from '../../runtime/abi/index.js';
import { asExpr, type BinaryenModule, type Expr, rawFunction, type Type } from './binaryen.js';
import { appendChild, externref, f32, f64, funcref, i32, i64, none, typeOf, typeParts, v128 } from './expressions.js';

/** Types whose words can be computed. */
type NumericSlot = Exclude<SlotType, ReferenceType>;

/** Builds expressions of one module. Every method returns a fresh node. */
export class Maker {
  readonly #module: BinaryenModule;

  constructor(module: BinaryenModule) {
    this.#module = module;
  }

  /**
   * A block of type none without looking through its children, which Binaryen's own constructor does: nested blocks
   * would cost quadratic time.
   */
  block(label: string | null, children: readonly Expr[]): Expr {
    const block = asExpr(this.#module.block(label, [], none));
    for (const child of children) appendChild(block, child);
    return block;
  }

  /** A block with a value: that of its last child. */
  valueBlock(label: string | null, children: readonly Expr[], type: Type): Expr {
    return asExpr(this.#module.block(label, children, type));
  }

  /** A function's body: the value is that of the last expression, which may be of type none or never be reached. */
  functionBody(children: readonly Expr[]): Expr {
    const last = children[children.length - 1];
    return this.valueBlock(null, children, last === undefined ? none : typeOf(last));
  }

  /** `if` without a value. */
  if(condition: Expr, then: readonly Expr[], otherwise: readonly Expr[] = []): Expr {
    const arm = (list: readonly Expr[]): Expr =>
      list.length === 1 && list[0] !== undefined ? list[0] : this.block(null, list);
    return otherwise.length === 0
      ? asExpr(this.#module.if(condition, arm(then)))
      : asExpr(this.#module.if(condition, arm(then), arm(otherwise)));
  }

  loop(label: string, body: readonly Expr[]): Expr {
    return asExpr(this.#module.loop(label, this.block(null, body)));
  }

  br(label: string, value?: Expr): Expr {
    return asExpr(value === undefined ? this.#module.br(label) : this.#module.br(label, 0, value));
  }

  brIf(label: string, condition: Expr): Expr {
    return asExpr(this.#module.br_if(label, condition));
  }

  brTable(labels: readonly string[], fallback: string, index: Expr): Expr {
    return asExpr(this.#module.switch(labels, fallback, index));
  }

  call(target: string, operands: readonly Expr[], result: Type = none): Expr {
    return asExpr(this.#module.call(target, operands, result));
  }

  get(local: number, type: Type): Expr {
    return asExpr(this.#module.local.get(local, type));
  }

  set(local: number, value: Expr): Expr {
    return asExpr(this.#module.local.set(local, value));
  }

  tee(local: number, value: Expr, type: Type): Expr {
    return asExpr(this.#module.local.tee(local, value, type));
  }

  globalGet(name: string, type: Type = i32): Expr {
    return asExpr(this.#module.global.get(name, type));
  }

  globalSet(name: string, value: Expr): Expr {
    return asExpr(this.#module.global.set(name, value));
  }

  const(value: number): Expr {
    return asExpr(this.#module.i32.const(value));
  }

  const64(value: bigint): Expr {
    return asExpr(Reflect.apply(this.#module.i64.const, this.#module.i64, [value]));
  }

  add(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i32.add(left, right));
  }

  sub(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i32.sub(left, right));
  }

  and(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i32.and(left, right));
  }

  or(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i32.or(left, right));
  }

  xor(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i32.xor(left, right));
  }

  shift(value: Expr, by: Expr): Expr {
    return asExpr(this.#module.i32.shl(value, by));
  }

  shiftLeft(value: Expr, by: number): Expr {
    return this.shift(value, this.const(by));
  }

  /** Unsigned. */
  shiftRight(value: Expr, by: Expr): Expr {
    return asExpr(this.#module.i32.shr_u(value, by));
  }

  /** 1 for everything but 0. */
  notZero(value: Expr): Expr {
    return this.eqz(this.eqz(value));
  }

  extendUnsigned(value: Expr): Expr {
    return asExpr(this.#module.i64.extend_u(value));
  }

  multiply(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i32.mul(left, right));
  }

  notEqual(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i32.ne(left, right));
  }

  select(condition: Expr, yes: Expr, no: Expr): Expr {
    return asExpr(this.#module.select(condition, yes, no));
  }

  or64(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i64.or(left, right));
  }

  sub64(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i64.sub(left, right));
  }

  shiftLeft64(value: Expr, by: Expr): Expr {
    return asExpr(this.#module.i64.shl(value, by));
  }

  rotateRight(value: Expr, by: number): Expr {
    return asExpr(this.#module.i32.rotr(value, this.const(by)));
  }

  rotateLeft64(value: Expr, by: Expr): Expr {
    return asExpr(this.#module.i64.rotl(value, by));
  }

  eqz(value: Expr): Expr {
    return asExpr(this.#module.i32.eqz(value));
  }

  eqz64(value: Expr): Expr {
    return asExpr(this.#module.i64.eqz(value));
  }

  lessUnsigned(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i32.lt_u(left, right));
  }

  lessSigned(left: Expr, right: Expr): Expr {
    return asExpr(this.#module.i32.lt_s(left, right));
  }

  drop(value: Expr): Expr {
    return asExpr(this.#module.drop(value));
  }

  return(value?: Expr): Expr {
    return asExpr(value === undefined ? this.#module.return() : this.#module.return(value));
  }

  /** Calls, and returns what the call gives, if anything. */
  returnAfter(call: Expr): Expr[] {
    return typeOf(call) === none ? [call, this.return()] : [this.return(call)];
  }

  /** `try` with a body for each tag, and one more where there is a `catch_all`. */
  try(name: string, body: readonly Expr[], tags: readonly string[], bodies: readonly Expr[]): Expr {
    return asExpr(this.#module.try(name, this.block(null, body), tags, bodies));
  }

  /** A try that sends what its body throws to the try named `target`. */
  tryDelegate(name: string, body: readonly Expr[], target: string): Expr {
    return asExpr(this.#module.try(name, this.block(null, body), [], [], target));
  }

  throw(tag: string, operands: readonly Expr[]): Expr {
    return asExpr(this.#module.throw(tag, operands));
  }

  rethrow(target: string): Expr {
    return asExpr(this.#module.rethrow(target));
  }

  /** What a clause caught; the first thing in it. */
  pop(type: Type): Expr {
    return asExpr(rawFunction('Pop')(this.#module.ptr, type));
  }

  unreachable(): Expr {
    return asExpr(this.#module.unreachable());
  }

  nop(): Expr {
    return asExpr(this.#module.nop());
  }

  dataDrop(segment: string): Expr {
    return asExpr(this.#module.data.drop(segment));
  }

  isNull(reference: Expr): Expr {
    return asExpr(this.#module.ref.is_null(reference));
  }

  tableGet(table: string, index: Expr, type: Type): Expr {
    return asExpr(this.#module.table.get(table, index, type));
  }

  tableSet(table: string, index: Expr, value: Expr): Expr {
    return asExpr(this.#module.table.set(table, index, value));
  }

  tableSize(table: string): Expr {
    return asExpr(this.#module.table.size(table));
  }

  tableGrow(table: string, value: Expr, delta: Expr): Expr {
    return asExpr(this.#module.table.grow(table, value, delta));
  }

  memorySize(): Expr {
    return asExpr(this.#module.memory.size());
  }

  tuple(values: readonly Expr[]): Expr {
    return asExpr(this.#module.tuple.make(values));
  }

  extract(tuple: Expr, index: number): Expr {
    return asExpr(this.#module.tuple.extract(tuple, index));
  }

  /** A zero of a number or vector type, or a tuple of them. */
  zero(type: Type): Expr {
    const parts = typeParts(type);
    if (parts.length > 1) return this.tuple(parts.map((part) => this.zero(part)));
    switch (type) {
      case i32:
        return this.const(0);
      case i64:
        return this.const64(0n);
      case f32:
        return asExpr(this.#module.f32.const(0));
      case f64:
        return asExpr(this.#module.f64.const(0));
      case v128:
        return asExpr(this.#module.v128.const(new Array<number>(16).fill(0)));
      default:
        return asExpr(this.#module.ref.null(type));
    }
  }

  /** The `index`-th word of a value, low word first. `value` makes the value anew for each word. */
  word(type: NumericSlot, index: number, value: Expr): Expr {
    const { i32, i64, i32x4 } = this.#module;
    switch (type) {
      case 'i32':
        return value;
      case 'f32':
        return asExpr(i32.reinterpret(value));
      case 'v128':
        return asExpr(i32x4.extract_lane(value, index));
      case 'i64':
        return asExpr(i32.wrap(index === 0 ? value : i64.shr_u(value, this.const64(32n))));
      case 'f64': {
        const bits = i64.reinterpret(value);
        return asExpr(i32.wrap(index === 0 ? bits : i64.shr_u(bits, this.const64(32n))));
      }
    }
  }

  /** A value from its words; they are evaluated in order, low word first. */
  fromWords(type: NumericSlot, words: readonly Expr[]): Expr {
    const { i64, f32, f64, i32x4 } = this.#module;
    const [low, high] = words;
    if (low === undefined) throw new Error('a value has at least one word');
    switch (type) {
      case 'i32':
        return low;
      case 'f32':
        return asExpr(f32.reinterpret(low));
      case 'v128': {
        let vector: number = i32x4.splat(low);
        for (const [lane, word] of words.entries()) {
          if (lane > 0) vector = i32x4.replace_lane(vector, lane, word);
        }
        return asExpr(vector);
      }
      case 'i64':
      case 'f64': {
        if (high === undefined) throw new Error(`${type} has two words`);
        const bits = i64.or(i64.extend_u(low), i64.shl(i64.extend_u(high), this.const64(32n)));
        return asExpr(type === 'i64' ? bits : f64.reinterpret(bits));
      }
    }
  }
}

export const slotTypeOf: ReadonlyMap<Type, SlotType> = new Map([
  [i32, 'i32'],
  [i64, 'i64'],
  [f32, 'f32'],
  [f64, 'f64'],
  [v128, 'v128'],
  [funcref, 'funcref'],
  [externref, 'externref'],
]);

export const typeOfSlot: Readonly<Record<SlotType, Type>> = { i32, i64, f32, f64, v128, funcref, externref };
