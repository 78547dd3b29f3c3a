/**
 * Loops without a stable point that may take long (ir/uncounted-loops.ts) take from the counter what points inside would have,
 * but never the last of it, so that many of them do not take longer than one may wait for a point. A scan of memory does so
 * when it has ended, if it was long:
 *
 *     (local.set $start (local.get $p))
 *     (loop $L ... (br_if $L ...))
 *     (if (i32.lt_u (i32.const 64) (local.tee $start (i32.sub (local.get $p) (local.get $start))))
 *       (then (global.set $mvvm.counter (call $mvvm.charge (global.get $mvvm.counter) (local.get $start)))))
 *
 * and before each branch or return that leaves the loop. What a short loop does is bounded by a constant, and it takes that
 * before it begins, each time:
 *
 *     (global.set $mvvm.counter
 *       (select (i32.sub (global.get $mvvm.counter) (i32.const 4)) (i32.const 1)
 *         (i32.lt_u (i32.const 4) (global.get $mvvm.counter))))
 *     (loop $L ...)
 */

import type { Expr } from '../ir/binaryen.js';
import { exitsOf, makeBeforeExit } from '../ir/exits.js';
import { globalOf, i32, kindOf, typeOf, unreachable } from '../ir/expressions.js';
import type { Maker } from '../ir/make.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import type { Scan } from '../ir/scans.js';
import { uncountedIterations } from '../ir/short-loops.js';
import { findChargedLoops } from '../ir/uncounted-loops.js';
import { rewrite, some } from '../ir/walk.js';
import { makeCharged } from './charged-counter.js';
import { chargeFunction, globals, type Support } from './support.js';

/**
 * @param thresholdBits of the gate: see uncountedIterations (ir/short-loops.ts)
 * @returns whether the function has such loops
 */
export function chargeLoops(module: IrModule, support: Support, fn: FunctionInfo, thresholdBits: number): boolean {
  const { scans, short } = findChargedLoops(module, fn, thresholdBits);
  if (scans.size + short.size === 0) return false;
  const charge = (loop: Expr): Expr => {
    const scan = scans.get(loop);
    if (scan !== undefined) return chargeScan(module, support, fn, loop, scan, uncountedIterations(thresholdBits));
    const count = short.get(loop);
    return count === undefined ? loop : chargeShortLoop(module, loop, count);
  };
  module.setBody(fn, rewrite(module.body(fn), charge));
  return true;
}

/** @param uncounted so many iterations take nothing */
function chargeScan(
  module: IrModule,
  support: Support,
  fn: FunctionInfo,
  loop: Expr,
  scan: Scan,
  uncounted: number,
): Expr {
  const { make } = module;
  // Where the cursors were at first and, behind the scan, how often they have moved.
  const moved = module.addLocal(fn, i32);
  const makeCharge = (): Expr[] => {
    const distance = make.sub(makePlace(scan, make), make.get(moved, i32));
    const bits = Math.floor(Math.log2(scan.leastStep));
    const times = make.tee(moved, bits === 0 ? distance : make.shiftRight(distance, make.const(bits)), i32);
    const operands = [make.globalGet(globals.counter), make.get(moved, i32)];
    const charge = make.globalSet(globals.counter, make.call(support.use(chargeFunction), operands, i32));
    return [make.if(make.lessUnsigned(make.const(uncounted), times), [charge])];
  };
  return putAround(module, loop, make.set(moved, makePlace(scan, make)), makeCharge, `mvvm.scanned.${moved}`);
}

function chargeShortLoop({ make }: IrModule, loop: Expr, count: number): Expr {
  const less = makeCharged(
    make,
    () => make.globalGet(globals.counter),
    () => make.const(count),
  );
  return make.valueBlock(null, [make.globalSet(globals.counter, less), loop], typeOf(loop));
}

/** Whether code takes something from the counter. */
export function holdsCharge(code: Expr): boolean {
  return some(code, (expr) => kindOf(expr) === 'GlobalSet' && globalOf(expr) === globals.counter);
}

/**
 * A loop with code before it, and where it is left.
 * @param makeEnd called for each place where it is left
 * @param prefix of labels
 */
function putAround(module: IrModule, loop: Expr, begin: Expr, makeEnd: () => Expr[], prefix: string): Expr {
  let labels = 0;
  const newLabel = (): string => `${prefix}.${labels++}`;
  const exits = new Map(exitsOf(loop).map((exit) => [exit.expr, exit]));
  rewrite(loop, (expr) => {
    const exit = exits.get(expr);
    return exit === undefined ? expr : makeBeforeExit(module, exit, makeEnd, newLabel);
  });
  const end = typeOf(loop) === unreachable ? [] : makeEnd();
  return module.make.valueBlock(null, [begin, loop, ...end], typeOf(loop));
}

/** The sum of where all cursors are, such that it grows. */
function makePlace({ cursors }: Scan, make: Maker): Expr {
  const places = cursors.map(({ local, direction }) => {
    const place = make.get(local, i32);
    return direction > 0 ? place : make.sub(make.const(0), place);
  });
  return places.reduce((sum, place) => make.add(sum, place));
}
