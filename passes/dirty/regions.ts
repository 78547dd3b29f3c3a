/**
 * Dirty bits in the module: the global that holds them, and the code that sets them.
 *
 * Memory is divided into regions of `1 << shift` bytes, the shift fixed when the module is compiled: a 64th of the memory
 * that it begins with, at least 64 KiB. Bit `n % 64` stands for region `n`; a memory that has grown has several regions to
 * a bit, which costs a delta some comparing. A larger shift would cost programs that stay small all precision, and a shift
 * that follows the memory would have to be read at every store.
 *
 * A bit vouches for its regions and the page behind each ({@link REACH}); behind the last region is the first page.
 */

import type { Expr } from '../ir/binaryen.js';
import { i32, i64, makeTupleType, none } from '../ir/expressions.js';
import type { Maker } from '../ir/make.js';
import type { IrModule } from '../ir/module.js';
import { dirtyGlobals } from '../lowering/support-names.js';

/** Marking an address marks the bytes from there on, so many of them: the runtime compares the page behind a region, too. */
export const REACH = 4096;

/** `(first, last) -> i64`: the bits of the regions from one address to another; all of them if `last` is below `first`. */
const maskFunction = 'mvvm.dirty_mask';
/** `(address, length)`: marks all regions that a bulk operation wrote to. */
const markRangeFunction = 'mvvm.dirty_range';

const LEAST_SHIFT = 16;
/** 64 regions of `1 << shift` bytes are `1 << (shift - 10)` pages of 64 KiB. */
const PAGE_SHIFT = 10;

function shiftFor(pages: number): number {
  return Math.max(LEAST_SHIFT, PAGE_SHIFT + Math.ceil(Math.log2(Math.max(1, pages))));
}

export class Regions {
  readonly #make: Maker;
  /** Of one region's size. */
  readonly shift: number;

  constructor(module: IrModule) {
    const { make } = module;
    this.#make = make;
    this.shift = shiftFor(module.memories.areThere ? module.memories.pages : 1);
    module.addGlobal(dirtyGlobals.bits, i64, make.const64(-1n));
    module.addGlobal(dirtyGlobals.cleanPoints, i32, make.const(0));
    this.#addMask(module);
    this.#addMarkRange(module);
  }

  /** Marks an address. */
  makeMark(address: Expr): Expr {
    return this.#makeAdd(this.#bit(address));
  }

  /**
   * Marks from one address to another, both in locals: with one bit where they are in one region, as they mostly are.
   */
  makeMarkBetween(first: number, last: number): Expr {
    const make = this.#make;
    const [from, to] = [(): Expr => make.get(first, i32), (): Expr => make.get(last, i32)];
    const isOne = make.eqz(make.shiftRight(make.xor(from(), to()), make.const(this.shift)));
    const mask = make.call(maskFunction, [from(), to()], i64);
    return make.if(isOne, [this.makeMark(from())], [this.#makeAdd(mask)]);
  }

  /** Marks what a bulk operation wrote to. */
  makeMarkRange(address: Expr, length: Expr): Expr {
    return this.#make.call(markRangeFunction, [address, length]);
  }

  #makeAdd(bits: Expr): Expr {
    const make = this.#make;
    return make.globalSet(dirtyGlobals.bits, make.or64(make.globalGet(dirtyGlobals.bits, i64), bits));
  }

  #region(address: Expr): Expr {
    return this.#make.shiftRight(address, this.#make.const(this.shift));
  }

  #bit(address: Expr): Expr {
    const make = this.#make;
    return make.shiftLeft64(make.const64(1n), make.extendUnsigned(this.#region(address)));
  }

  /**
   *     count = (last >> shift) - (first >> shift)
   *     return count > 62 (unsigned) ? -1 : rotl((2 << count) - 1, first >> shift)
   */
  #addMask(module: IrModule): void {
    const make = this.#make;
    const [first, last, count] = [0, 1, 2].map((local) => (): Expr => make.get(local, i32));
    if (!first || !last || !count) throw new Error('three locals');
    const ones = make.sub64(make.shiftLeft64(make.const64(2n), make.extendUnsigned(count())), make.const64(1n));
    const body = [
      make.set(2, make.sub(this.#region(last()), this.#region(first()))),
      make.if(make.lessUnsigned(make.const(62), count()), [make.return(make.const64(-1n))]),
      make.return(make.rotateLeft64(ones, make.extendUnsigned(this.#region(first())))),
    ];
    module.addFunction(maskFunction, makeTupleType([i32, i32]), i64, [i32], make.functionBody(body));
  }

  #addMarkRange(module: IrModule): void {
    const make = this.#make;
    const last = make.sub(make.add(make.get(0, i32), make.get(1, i32)), make.const(1));
    const mask = make.call(maskFunction, [make.get(0, i32), last], i64);
    const body = make.if(make.get(1, i32), [this.#makeAdd(mask)]);
    module.addFunction(markRangeFunction, makeTupleType([i32, i32]), none, [], body);
  }
}
