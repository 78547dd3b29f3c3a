/**
 * Makes code of a poll: it takes one off its gate's counter, and asks the host when that gives zero.
 *
 *     (global.set $mvvm.counter (local.tee $next (i32.sub (global.get $mvvm.counter) (i32.const 1))))
 *     (if (i32.eqz (local.get $next))                        ;; rarely
 *       (then (if (call $mvvm.fire_counted (point)) (then (br $mvvm.asked)))))
 *
 * Where code is not busy, and in brief twins, one call does all of this:
 *
 *     (if (call $mvvm.tick_counted (point)) (then (br $mvvm.asked)))
 *
 * In a nest of loops that counts in locals (nest-counters.ts) the counter is a local. If it is the nest's only one, asking
 * gives its next value, which is 0 when the frame must leave; else the slow path stores all of them before it asks, and
 * loads them afterwards.
 */

import type { PendingMarks } from '../dirty/mark-stores.js';
import type { Expr } from '../ir/binaryen.js';
import { i32 } from '../ir/expressions.js';
import type { Gate } from '../ir/marks.js';
import type { IrModule } from '../ir/module.js';
import type { Point, PollItem } from './linear-code.js';
import type { NestCounters } from './nest-counters.js';
import type { Support } from './support.js';
import { counterOf, fireFunction, fireInNestFunction, tickFunction } from './support-names.js';

/** What the emitter of a function lends. */
export interface PollContext {
  readonly module: IrModule;
  readonly support: Support;
  /** Number of the function's first point in the module. */
  readonly firstPoint: number;
  /** Whether it is the code of a brief twin (twins.ts), which is to be small as what is not busy is. */
  readonly isBrief: boolean;
  /** A local for a moment. */
  readonly scratch: number;
  /** Set inside a nest of loops that counts in locals. */
  readonly nest: NestCounters | undefined;
  /** The loops around the poll, outermost first. */
  readonly loops: readonly string[];
  /** What is to be done before the host is asked; undefined unless stores mark what they change. */
  readonly pending: PendingMarks | undefined;
  /** Lets the frame leave at `point`. */
  makeLeave(point: Point): Expr[];
  /** The same where the point has asked the host. */
  makeLeaveAsked(point: Point): Expr[];
}

export function emitPoll({ gate, point }: PollItem, context: PollContext): Expr[] {
  const { make } = context.module;
  if (canTick(point, context)) {
    return [make.if(makeTick(point, gate, context), context.makeLeaveAsked(point))];
  }
  const { before, left } = makeCountdown(gate, context);
  return [...before, make.if(make.eqz(left), makeFire(point, gate, context))];
}

/** Takes one off the gate's counter; `left` is what is left of it then, zero where the host is to be asked. */
export function makeCountdown(gate: Gate, { module, nest, scratch }: PollContext): { before: Expr[]; left: Expr } {
  const { make } = module;
  const cached = nest?.local(gate);
  if (cached !== undefined) {
    const next = make.sub(make.get(cached, i32), make.const(1));
    return { before: [], left: make.tee(cached, next, i32) };
  }
  const counter = counterOf(gate);
  const next = make.sub(make.globalGet(counter), make.const(1));
  const before = make.globalSet(counter, make.tee(scratch, next, i32));
  return { before: [before], left: make.get(scratch, i32) };
}

/**
 * Whether a poll is to be one call: where code is small, but not in a nest that counts in locals, nor where something is to be
 * done before asking.
 */
export function canTick({ isBusy }: { readonly isBusy: boolean }, context: PollContext): boolean {
  return (!isBusy || context.isBrief) && context.nest === undefined && makePending(context).length === 0;
}

/**
 * All of a poll in one call, which is small and slow: for code that is not busy. Tells whether the frame must leave, or is on
 * the way to a point.
 */
export function makeTick(point: Point, gate: Gate, context: PollContext): Expr {
  return context.module.make.call(context.support.use(tickFunction[gate]), [makeNumber(point, context)], i32);
}

/** The slow path of a poll: asks, and leaves if told so. */
export function makeFire(point: Point, gate: Gate, context: PollContext): Expr[] {
  const { module, support, nest } = context;
  const { make } = module;
  const before = makePending(context);
  const counter = nest?.onlyLocal(gate);
  if (counter !== undefined) {
    return [...before, make.if(make.eqz(makeFireInNest(point, gate, counter, context)), context.makeLeaveAsked(point))];
  }
  const fire = make.call(support.use(fireFunction[gate]), [makeNumber(point, context)], i32);
  return [
    ...before,
    ...(nest?.makeFlush() ?? []),
    make.if(fire, context.makeLeaveAsked(point)),
    ...(nest?.makeReload() ?? []),
  ];
}

/** The slow path of an inner loop: asks, and enters the loop again. */
export function makeFireAgain(point: Point, gate: Gate, again: string, context: PollContext): Expr[] {
  const { make } = context.module;
  const counter = context.nest?.onlyLocal(gate);
  if (counter === undefined) return [...makeFire(point, gate, context), make.br(again)];
  const before = makePending(context);
  return [...before, make.brIf(again, makeFireInNest(point, gate, counter, context)), ...context.makeLeaveAsked(point)];
}

/** Asks; gives the counter its next value, which is 0 when the frame must leave. */
function makeFireInNest(point: Point, gate: Gate, counter: number, context: PollContext): Expr {
  const { make } = context.module;
  const fire = context.support.use(fireInNestFunction[gate]);
  return make.tee(counter, make.call(fire, [makeNumber(point, context)], i32), i32);
}

function makePending({ pending, loops }: PollContext): Expr[] {
  return pending?.makeFlush(loops) ?? [];
}

function makeNumber(point: Point, { module, firstPoint }: PollContext): Expr {
  return module.make.const(firstPoint + point.index);
}
