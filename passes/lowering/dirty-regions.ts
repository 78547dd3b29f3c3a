/** The support functions of dirty bits: marking a range, and fitting the regions to a memory that has grown. */

import { i32, i64, makeTupleType, none } from '../ir/expressions.js';
import type { IrModule } from '../ir/module.js';
import { dirtyGlobals } from './support.js';

/** `(address, length)`: marks all regions that a bulk operation wrote to. */
export const markRange = 'mvvm.dirty_range';
/** `()`: makes the regions as large as the memory needs; if they change, all count as dirty. */
export const refitRegions = 'mvvm.dirty_refit';

const pageBits = 16;
/** 64 regions. */
const regionCountBits = 6;

/** The least shift with which 64 regions cover this many pages. */
function shiftFor(pages: number): number {
  return pageBits - regionCountBits + Math.max(0, Math.ceil(Math.log2(Math.max(1, pages))));
}

export function addDirtySupport(module: IrModule): void {
  const { make } = module;
  const pages = module.hasMemory ? module.memoryPages : 1;
  module.addGlobal(dirtyGlobals.bits, i64, make.const64(-1n));
  module.addGlobal(dirtyGlobals.shift, i32, make.const(shiftFor(pages)));
  module.addGlobal(dirtyGlobals.cleanPoints, i32, make.const(0));
  addMarkRange(module);
  if (module.hasMemory) addRefit(module);
}

/** `bits |= (-1 << first) & (-1 >>> (63 - last))` unless the range is empty. */
function addMarkRange(module: IrModule): void {
  const { make } = module;
  const region = (address: ReturnType<typeof make.const>): ReturnType<typeof make.const> =>
    make.extendUnsigned(make.shiftRight(address, make.globalGet(dirtyGlobals.shift)));
  const first = region(make.get(0, i32));
  const last = region(make.sub(make.add(make.get(0, i32), make.get(1, i32)), make.const(1)));
  const from = make.shiftLeft64(make.const64(-1n), first);
  const to = make.shiftRight64(make.const64(-1n), make.sub64(make.const64(63n), last));
  const bits = make.or64(make.globalGet(dirtyGlobals.bits, i64), make.and64(from, to));
  const body = make.if(make.get(1, i32), [make.globalSet(dirtyGlobals.bits, bits)]);
  module.addFunction(markRange, makeTupleType([i32, i32]), none, [], body);
}

/** `while (memory.size > 1 << (shift + 6 - 16)) { shift += 1; bits = -1 }` */
function addRefit(module: IrModule): void {
  const { make } = module;
  const covered = make.shift(
    make.const(1),
    make.sub(make.globalGet(dirtyGlobals.shift), make.const(pageBits - regionCountBits)),
  );
  const body = make.loop('fit', [
    make.if(make.lessUnsigned(covered, make.memorySize()), [
      make.globalSet(dirtyGlobals.shift, make.add(make.globalGet(dirtyGlobals.shift), make.const(1))),
      make.globalSet(dirtyGlobals.bits, make.const64(-1n)),
      make.br('fit'),
    ]),
  ]);
  module.addFunction(refitRegions, none, none, [], body);
}
