/**
 * Loops without a stable point that may take long (ir/uncounted-loops.ts) take from the counter what points inside would have,
 * but never the last of it, so that many of them do not take longer than one may wait for a point. A scan of memory does so
 * when it has ended, if it was long:
 *
 *     (local.set $moved (local.get $p))
 *     (loop $L ... (br_if $L ...))
 *     (if (i32.lt_u (i32.const 64) (local.tee $moved (i32.sub (local.get $p) (local.get $moved))))
 *       (then (global.set $mvvm.counter (call $mvvm.charge (global.get $mvvm.counter) (local.get $moved)))))
 *
 * and before each branch or return that leaves the loop. How many iterations there were is told by a local that moves in each,
 * one that is needed behind the scan if there is such. What a short loop does is bounded by a constant, and it takes that before
 * it begins, each time:
 *
 *     (global.set $mvvm.counter
 *       (select (i32.sub (global.get $mvvm.counter) (i32.const 4)) (i32.const 1)
 *         (i32.lt_u (i32.const 4) (global.get $mvvm.counter))))
 *     (loop $L ...)
 *
 * Where code is not busy (busy-code.ts), a call does it:
 *
 *     (call $mvvm.charge_scan (i32.sub (local.get $p) (local.get $moved)))
 *     (call $mvvm.charge_short (i32.const 4))
 *
 * Such a call counts in the global, so no loop around it counts in a local. And an engine has values leave their registers
 * around it: in a loop around hot ones it made a matrix product take 1.34 times as long, so functions with hot code have none.
 *
 * Many scans have an iteration or two, and to charge them costs as much. Where a scan is hot, its first iterations are copied,
 * and whoever leaves these takes nothing from the counter:
 *
 *     (local.set $moved (local.get $p))
 *     (block $exit
 *       (block $first <body, in which branches to $L go to $first> (br $exit))
 *       <the scan>)
 */

import type { Expr } from '../ir/binaryen.js';
import { exitsOf, makeBeforeExit } from '../ir/exits.js';
import {
  callTarget,
  childrenOf,
  globalOf,
  i32,
  kindOf,
  labelOf,
  localIndex,
  none,
  typeOf,
  unreachable,
} from '../ir/expressions.js';
import { Liveness } from '../ir/liveness.js';
import type { LocalSet } from '../ir/local-set.js';
import type { Maker } from '../ir/make.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { relabel } from '../ir/relabel.js';
import type { Measure, Scan } from '../ir/scans.js';
import { uncountedIterations } from '../ir/short-loops.js';
import { findChargedLoops } from '../ir/uncounted-loops.js';
import { hasAtMost, rewrite, some, walk } from '../ir/walk.js';
import type { BusyCode } from './busy-code.js';
import { makeIfLong, makeTake, makeTakeInPlace } from './charged-counter.js';
import type { Support } from './support.js';
import { chargeFunction, chargeScanFunction, chargeShortFunction, globals } from './support-names.js';
import type { Twin } from './twins.js';

/** What the code that a function's loops are charged by shall be like. */
interface ChargeStyle {
  /** Whether it is to be fast, else it is small. */
  isFast(loop: Expr): boolean;
  /** Whether a scan is run so often, and free of ways back, that copies of its first iterations are worth their bytes. */
  isHot(loop: Expr): boolean;
}

export interface ChargeContext {
  readonly module: IrModule;
  readonly support: Support;
  /** Of the gate: see uncountedIterations (ir/short-loops.ts). */
  readonly thresholdBits: number;
}

/** Charges loops of functions and of their twins. @returns the names of the functions that have such loops */
export function chargeAllLoops(
  context: ChargeContext,
  functions: readonly FunctionInfo[],
  busy: BusyCode,
  twins: ReadonlyMap<string, Twin>,
): string[] {
  const charged: string[] = [];
  for (const fn of functions) {
    const twin = twins.get(fn.name);
    if (!chargeLoops(context, fn, () => styleOf(fn.name, busy, twin))) continue;
    if (twin !== undefined) chargeLoops(context, twin.info, () => styleOfTwin(twin, busy));
    charged.push(fn.name);
  }
  return charged;
}

function styleOf(name: string, busy: BusyCode, twin: Twin | undefined): ChargeStyle {
  const { expressions, hotLoops } = busy.findIn(name, twin?.hot);
  const mindsCalls = busy.mindsCalls(name);
  const inTwin = twin?.hot === Number.POSITIVE_INFINITY ? expressions : hotLoops;
  return {
    isFast: (loop) => mindsCalls || expressions.has(loop),
    isHot: (loop) => twin?.isBrief === false && inTwin.has(loop),
  };
}

function styleOfTwin({ info, isBrief }: Twin, busy: BusyCode): ChargeStyle {
  const { isFast } = styleOf(info.name, busy, undefined);
  return { isFast: (loop) => !isBrief && isFast(loop), isHot: () => false };
}

function chargeLoops(context: ChargeContext, fn: FunctionInfo, findStyle: () => ChargeStyle): boolean {
  const { module, thresholdBits } = context;
  const { scans, short } = findChargedLoops(module, fn, thresholdBits);
  if (scans.size + short.size === 0) return false;
  const charger = new Charger(context, fn, findStyle());
  const measures = chooseMeasures(module, fn, scans);
  const charge = (loop: Expr): Expr => {
    const measure = measures.get(loop);
    if (measure !== undefined) return charger.chargeScan(loop, measure);
    const count = short.get(loop);
    return count === undefined ? loop : charger.chargeShortLoop(loop, count);
  };
  module.setBody(fn, rewrite(module.body(fn), charge));
  return true;
}

/** What is needed behind a scan anyway need not be kept for its charge, and what moves by one need not be divided. */
function chooseMeasures(
  module: IrModule,
  fn: FunctionInfo,
  scans: ReadonlyMap<Expr, Scan>,
): ReadonlyMap<Expr, Measure> {
  const choosy = [...scans].filter(([, { measures }]) => measures.length > 1).map(([loop]) => loop);
  const live =
    choosy.length === 0
      ? new Map<Expr, LocalSet>()
      : Liveness.findLiveBehind(module.body(fn), module.localTypes(fn).length, choosy);
  return new Map(
    [...scans].map(([loop, { measures }]) => {
      const keeps = ({ cursors }: Measure): number =>
        cursors.filter(({ local }) => live.get(loop)?.has(local) !== true).length;
      const divides = ({ leastStep }: Measure): boolean => leastStep > 1;
      const isBetter = (one: Measure, other: Measure): boolean =>
        keeps(one) === keeps(other) ? divides(other) && !divides(one) : keeps(one) < keeps(other);
      return [loop, measures.reduce((best, measure) => (isBetter(measure, best) ? measure : best))];
    }),
  );
}

/** So many iterations of a hot scan are copied at most. */
const PEELED = 2;
/** Of scans with as many expressions at most. */
const LARGEST_PEELED = 40;

/** A copy of a loop's body, with the label of its end. */
interface Iteration {
  readonly label: string;
  readonly body: readonly Expr[];
}

/** Makes the loops of a function charge. */
class Charger {
  readonly #context: ChargeContext;
  readonly #fn: FunctionInfo;
  readonly #style: ChargeStyle;
  readonly #make: Maker;

  constructor(context: ChargeContext, fn: FunctionInfo, style: ChargeStyle) {
    this.#context = context;
    this.#fn = fn;
    this.#style = style;
    this.#make = context.module.make;
  }

  chargeScan(loop: Expr, measure: Measure): Expr {
    const { module } = this.#context;
    const make = this.#make;
    // Where the cursors were at first; and where the charge is fast, how often they have moved.
    const moved = module.addLocal(this.#fn, i32);
    const prefix = `mvvm.scanned.${moved}`;
    const first = this.#style.isHot(loop) && isEven(loop, measure) ? this.#peel(loop, prefix) : [];
    const exit = `${prefix}.exit`;
    const code = [
      make.set(moved, makeSum(measure, make)),
      ...first.map(({ label, body }) => make.block(label, [...body, make.br(exit)])),
      ...putAround(module, loop, () => this.#makeScanCharge(loop, measure, moved), prefix),
    ];
    return first.length === 0 ? make.valueBlock(null, code, typeOf(loop)) : make.block(exit, code);
  }

  #makeScanCharge(loop: Expr, measure: Measure, moved: number): Expr[] {
    const { support, thresholdBits } = this.#context;
    const make = this.#make;
    const distance = makeDistance(measure, make.get(moved, i32), make);
    const bits = Math.floor(Math.log2(measure.leastStep));
    const times = bits === 0 ? distance : make.shiftRight(distance, make.const(bits));
    if (!this.#style.isFast(loop)) return [make.call(support.use(chargeScanFunction), [times], none)];
    const take = makeTake(make, support.use(chargeFunction), make.get(moved, i32));
    return [makeIfLong(make, thresholdBits, make.tee(moved, times, i32), take)];
  }

  /** Copies of a loop's body, in which branches to the loop's head go to the end instead; none of a large loop. */
  #peel(loop: Expr, prefix: string): Iteration[] {
    const { module, thresholdBits } = this.#context;
    if (typeOf(loop) !== none || !hasAtMost(LARGEST_PEELED, [loop])) return [];
    let labels = 0;
    // The measure counts less than twice as many, where its step is no power of two.
    const count = Math.min(PEELED, uncountedIterations(thresholdBits) >> 1);
    return Array.from({ length: count }, () => {
      const copy = module.copyExpression(loop);
      relabel(copy, () => `${prefix}.first.${labels++}`);
      return { label: labelOf(copy) ?? '', body: childrenOf(copy) };
    });
  }

  chargeShortLoop(loop: Expr, count: number): Expr {
    const { support } = this.#context;
    const make = this.#make;
    const take = this.#style.isFast(loop)
      ? makeTakeInPlace(make, () => make.const(count))
      : make.call(support.use(chargeShortFunction), [make.const(count)], none);
    return make.valueBlock(null, [take, loop], typeOf(loop));
  }
}

/**
 * Whether a scan's measure tells that nothing is to be taken where it is left in its first iterations, so that the twin, which
 * has no copies of these, counts alike: it has to move by the same in each, and once.
 */
function isEven(loop: Expr, { cursors: [cursor, ...others] }: Measure): boolean {
  const moves: Expr[] = [];
  walk(loop, (expr) => {
    if (kindOf(expr) === 'LocalSet' && localIndex(expr) === cursor?.local) moves.push(...childrenOf(expr));
  });
  const [move, ...more] = moves;
  if (move === undefined || more.length + others.length > 0 || kindOf(move) !== 'Binary') return false;
  return childrenOf(move).some((operand) => kindOf(operand) === 'Const');
}

/** Whether code takes something from the counter. */
export function holdsCharge(code: Expr): boolean {
  return some(code, (expr) => {
    return (kindOf(expr) === 'GlobalSet' && globalOf(expr) === globals.counter) || isCharge(expr);
  });
}

/** Whether it is a call that takes from the counter in its global. */
export function isCharge(expr: Expr): boolean {
  return kindOf(expr) === 'Call' && [chargeScanFunction, chargeShortFunction].includes(callTarget(expr));
}

/**
 * A loop with code where it is left.
 * @param makeEnd called for each such place
 * @param prefix of labels
 */
function putAround(module: IrModule, loop: Expr, makeEnd: () => Expr[], prefix: string): Expr[] {
  let labels = 0;
  const newLabel = (): string => `${prefix}.${labels++}`;
  const exits = new Map(exitsOf(loop).map((exit) => [exit.expr, exit]));
  rewrite(loop, (expr) => {
    const exit = exits.get(expr);
    return exit === undefined ? expr : makeBeforeExit(module, exit, makeEnd, newLabel);
  });
  return [loop, ...(typeOf(loop) === unreachable ? [] : makeEnd())];
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
