/**
 * Makes stores say what they change, for the policy loop-dirty-checkpoint. Memory is divided into 64 regions, one bit
 * each in a global; a store sets the bit of the region it writes to:
 *
 *     (i32.store offset=8 (p) (v))
 *
 * becomes
 *
 *     (i32.store offset=8 (local.tee $p (p)) (v))
 *     (global.set $mvvm.dirty (i64.or (global.get $mvvm.dirty)
 *       (i64.shl (i64.const 1) (i64.extend_i32_u (i32.shr_u (i32.add (local.get $p) 8) (global.get $mvvm.dirty_shift))))))
 *
 * The bit is set behind the store, with no stable point between: before it, a checkpoint taken while the stored value
 * is computed would clear the bit too early. A store that reaches into the next region marks its own only; the runtime
 * takes the page after a dirty region for changed too. Bulk operations mark a range. Regions grow with the memory.
 *
 * Runs before lower-points.
 */

import type { Expr } from './ir/binaryen.js';
import { childrenOf, i32, i64, kindOf, none, setChild, storeOffset, typeOf } from './ir/expressions.js';
import type { Maker } from './ir/make.js';
import type { FunctionInfo, IrModule } from './ir/module.js';
import { rewrite } from './ir/walk.js';
import { addDirtySupport, markRange, refitRegions } from './lowering/dirty-regions.js';
import { dirtyGlobals } from './lowering/support.js';
import type { Pass } from './pass.js';

export const dirtyBits: Pass = {
  name: 'dirty-bits',
  stage: 'lowering',
  description: 'makes stores mark the region of memory that they change (loop-dirty policy only)',
  documentation:
    'Every store sets the bit of its region, one of 64, in a global. Runs only with `loop-dirty-checkpoint`.',
  run({ module, options }) {
    if (!options.policies.includes('loop-dirty-checkpoint')) return;
    const functions = module.definedFunctions();
    addDirtySupport(module);
    for (const fn of functions) {
      module.setBody(
        fn,
        rewrite(module.body(fn), (expr) => markChange(module, fn, expr)),
      );
    }
  },
};

function markChange(module: IrModule, fn: FunctionInfo, expr: Expr): Expr {
  const { make } = module;
  switch (kindOf(expr)) {
    case 'Store':
      return markStore(module, fn, expr, storeOffset(expr));
    case 'SIMDLoadStoreLane':
    case 'AtomicRMW':
    case 'AtomicCmpxchg':
      return markStore(module, fn, expr, module.offsetOf(expr));
    case 'MemoryFill':
    case 'MemoryCopy':
    case 'MemoryInit': {
      const [dest, , size] = [0, 1, 2].map((index) => keepOperand(module, fn, expr, index));
      return make.block(null, [expr, make.call(markRange, [get(make, dest), get(make, size)])]);
    }
    case 'MemoryGrow': {
      const result = module.addLocal(fn, i32);
      return make.valueBlock(null, [make.set(result, expr), make.call(refitRegions, []), make.get(result, i32)], i32);
    }
    default:
      return expr;
  }
}

function markStore(module: IrModule, fn: FunctionInfo, store: Expr, offset: number): Expr {
  const { make } = module;
  const pointer = keepOperand(module, fn, store, 0);
  const address = offset === 0 ? get(make, pointer) : make.add(get(make, pointer), make.const(offset | 0));
  const region = make.extendUnsigned(make.shiftRight(address, make.globalGet(dirtyGlobals.shift)));
  const bits = make.or64(make.globalGet(dirtyGlobals.bits, i64), make.shiftLeft64(make.const64(1n), region));
  const mark = make.globalSet(dirtyGlobals.bits, bits);
  const type = typeOf(store);
  if (type === none) return make.block(null, [store, mark]);
  const result = module.addLocal(fn, type);
  return make.valueBlock(null, [make.set(result, store), mark, make.get(result, type)], type);
}

/** Keeps an operand's value (an i32) in a local while the operation uses it. */
function keepOperand(module: IrModule, fn: FunctionInfo, expr: Expr, index: number): number {
  const operand = childrenOf(expr)[index];
  if (operand === undefined) throw new Error(`${kindOf(expr)} has no operand ${index}`);
  const local = module.addLocal(fn, i32);
  setChild(expr, index, module.make.tee(local, operand, i32));
  return local;
}

function get(make: Maker, local: number | undefined): Expr {
  if (local === undefined) throw new Error('an operand was not kept');
  return make.get(local, i32);
}
