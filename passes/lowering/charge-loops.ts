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
 *
 * Where code is not busy (busy-code.ts), both are a call of a support function. Not in functions with hot code: such a call
 * in a loop around the hot ones made a matrix product take 1.34 times as long.
 */

import type { Expr } from '../ir/binaryen.js';
import { exitsOf, makeBeforeExit } from '../ir/exits.js';
import { callTarget, globalOf, i32, kindOf, none, typeOf, unreachable } from '../ir/expressions.js';
import { findLiveBehind } from '../ir/liveness.js';
import type { LocalSet } from '../ir/local-set.js';
import type { Maker } from '../ir/make.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import type { Measure, Scan } from '../ir/scans.js';
import { uncountedIterations } from '../ir/short-loops.js';
import { findChargedLoops } from '../ir/uncounted-loops.js';
import { rewrite, some } from '../ir/walk.js';
import { makeCharged } from './charged-counter.js';
import { chargeFunction, chargeScanFunction, globals, type Support } from './support.js';

/** What makes code that charges. */
interface ChargeContext {
  readonly module: IrModule;
  readonly support: Support;
  readonly fn: FunctionInfo;
  /** Loops whose charge is to be fast; that of others is small. */
  readonly fast: ReadonlySet<Expr> | 'all';
  /** Iterations of a scan that take nothing from the counter. */
  readonly uncounted: number;
}

/**
 * @param thresholdBits of the gate: see uncountedIterations (ir/short-loops.ts)
 * @param findFast finds the loops whose charge is to be fast; that of others is small
 * @returns whether the function has such loops
 */
export function chargeLoops(
  module: IrModule,
  support: Support,
  fn: FunctionInfo,
  thresholdBits: number,
  findFast: () => ReadonlySet<Expr> | 'all',
): boolean {
  const { scans, short } = findChargedLoops(module, fn, thresholdBits);
  if (scans.size + short.size === 0) return false;
  const context = { module, support, fn, fast: findFast(), uncounted: uncountedIterations(thresholdBits) };
  const body = module.body(fn);
  const live = findLiveBehind(body, module.localTypes(fn).length, new Set(scans.keys()));
  const charge = (loop: Expr): Expr => {
    const scan = scans.get(loop);
    if (scan !== undefined) {
      return chargeScan(loop, chooseMeasure(scan, live.get(loop)), context);
    }
    const count = short.get(loop);
    return count === undefined ? loop : chargeShortLoop(loop, count, context);
  };
  module.setBody(fn, rewrite(body, charge));
  return true;
}

/** What is needed behind the scan anyway need not be kept for its charge, and what moves by one need not be divided. */
function chooseMeasure(scan: Scan, live: LocalSet | undefined): Measure {
  const cost = ({ cursors, leastStep }: Measure): number =>
    2 * cursors.filter(({ local }) => live?.has(local) !== true).length + (leastStep > 1 ? 1 : 0);
  return [scan, ...scan.others].reduce((best, other) => (cost(other) < cost(best) ? other : best));
}

function chargeScan(loop: Expr, measure: Measure, { module, support, fn, fast, uncounted }: ChargeContext): Expr {
  const isSmall = fast !== 'all' && !fast.has(loop);
  const { make } = module;
  // Where the cursors were at first and, behind the scan, how often they have moved.
  const moved = module.addLocal(fn, i32);
  const makeTimes = (): Expr => {
    const distance = makeDistance(measure, make.get(moved, i32), make);
    const bits = Math.floor(Math.log2(measure.leastStep));
    return bits === 0 ? distance : make.shiftRight(distance, make.const(bits));
  };
  const makeCharge = (): Expr[] => {
    if (isSmall) return [make.call(support.use(chargeScanFunction), [makeTimes()], none)];
    const times = make.tee(moved, makeTimes(), i32);
    const charge = makeTake(support, make, make.get(moved, i32));
    return [make.if(make.lessUnsigned(make.const(uncounted), times), [charge])];
  };
  return putAround(module, loop, make.set(moved, makeSum(measure, make)), makeCharge, `mvvm.scanned.${moved}`);
}

function chargeShortLoop(loop: Expr, count: number, { module, support, fast }: ChargeContext): Expr {
  const isSmall = fast !== 'all' && !fast.has(loop);
  const { make } = module;
  const makeCounter = (): Expr => make.globalGet(globals.counter);
  const makeCount = (): Expr => make.const(count);
  const take = isSmall
    ? makeTake(support, make, makeCount())
    : make.globalSet(globals.counter, makeCharged(make, makeCounter, makeCount));
  return make.valueBlock(null, [take, loop], typeOf(loop));
}

/** Takes so much from the counter, by a call that tells what is left. */
function makeTake(support: Support, make: Maker, count: Expr): Expr {
  const left = make.call(support.use(chargeFunction), [make.globalGet(globals.counter), count], i32);
  return make.globalSet(globals.counter, left);
}

/** Whether code takes something from the counter. */
export function holdsCharge(code: Expr): boolean {
  return some(code, (expr) => {
    return (kindOf(expr) === 'GlobalSet' && globalOf(expr) === globals.counter) || isScanCharge(expr);
  });
}

/** Whether it takes from the counter, in the global, what a scan does, where code is to be small. */
export function isScanCharge(expr: Expr): boolean {
  return kindOf(expr) === 'Call' && callTarget(expr) === chargeScanFunction;
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

/** The sum of where all cursors are, such that it grows; but the place of one cursor as it is. */
function makeSum({ cursors }: Measure, make: Maker): Expr {
  const places = cursors.map(({ local, direction }) => {
    const place = make.get(local, i32);
    return direction > 0 || cursors.length === 1 ? place : make.sub(make.const(0), place);
  });
  return places.reduce((sum, place) => make.add(sum, place));
}

/** How far the sum has moved. */
function makeDistance(measure: Measure, before: Expr, make: Maker): Expr {
  const now = makeSum(measure, make);
  const goesDown = measure.cursors.length === 1 && measure.cursors[0]?.direction === -1;
  return goesDown ? make.sub(before, now) : make.sub(now, before);
}
