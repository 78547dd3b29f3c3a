/**
 * Makes code of a `try` with stable points inside. Frames leave it by a branch, so no clause of the program's ever sees
 * them go; and come back through its head:
 *
 *     (try $t
 *       (do
 *         (if (global.get $mvvm.resume)                      ;; on the way to a point inside
 *           (then (if <it is in the clause>) (then (throw $e (local.get $payload))) <dispatch into the body>))
 *         <body>)
 *       (catch $e
 *         (local.set $payload (pop i32))
 *         (if (global.get $mvvm.resume) (then <dispatch into the clause>))
 *         <clause>))
 *
 * So an exception that is being handled is thrown again, with the tag and the payload that it had, and `rethrow` finds it
 * where it was. A `catch_all` does not know what it has caught; it finds out when the frame leaves:
 *
 *     (catch_all
 *       (block $end (loop $stay
 *         (local.set $point (block $leave (result i32) <clause, which leaves by $leave> (br $end)))
 *         (block $known
 *           (block $foreign
 *             (try (do (rethrow $t)) (catch $e (local.set $payload (pop i32)) (br $known)) ... (catch_all (br $foreign))))
 *           (call $mvvm.stay (first) (local.get $point)) (br $stay))
 *         (br $mvvm.unwind (local.get $point)))))
 *
 * An exception of no tag that the module knows comes from outside and cannot be thrown again. Then the checkpoint is taken
 * back: `mvvm.stay` makes frames come back instead of leave, first those that have left already.
 */

import type { Expr } from '../ir/binaryen.js';
import { payloadOf } from '../ir/exceptions.js';
import { i32, typeParts } from '../ir/expressions.js';
import type { IrModule } from '../ir/module.js';
import { type ClauseRegion, type HeldException, pointsIn, type Region, type TryItem } from './linear-code.js';
import type { Support } from './support.js';
import { globals, stayFunction } from './support-names.js';

/** What the emitter of a function lends. */
export interface TryContext {
  readonly module: IrModule;
  readonly support: Support;
  /** Number of the function's first point in the module. */
  readonly firstPoint: number;
  /** A local for a moment. */
  readonly scratch: number;
  /** Index of the first point of a region. */
  startOf(region: Region): number;
  newLabel(what: string): string;
  makeDispatch(region: Region): Expr[];
  /** @param unwind the label by which frames leave the region; without one, that of the code around */
  emitRegion(region: Region, prelude: readonly Expr[], unwind?: string): Expr[];
  /** Leaves the code around the try, at the point in `scratch`. */
  makeLeave(): Expr;
}

export function emitTry(item: TryItem, context: TryContext): Expr {
  const { make } = context.module;
  const { name, delegate, clauses } = item;
  const body = context.emitRegion(item.body, makeWayIn(item, context));
  if (delegate !== undefined) return make.tryDelegate(name, body, delegate);
  const tags = clauses.flatMap(({ tag }) => tag ?? []);
  return make.try(
    name,
    body,
    tags,
    clauses.map((clause) => make.block(null, emitClause(name, clause, context))),
  );
}

/** The way to points inside, from the head of the body. */
function makeWayIn({ body, clauses }: TryItem, context: TryContext): Expr[] {
  const { make } = context.module;
  // Points of later clauses have higher numbers.
  const throws = clauses.toReversed().flatMap(({ held, body: clause }) => {
    if (held === undefined) return [];
    const isBefore = make.lessUnsigned(make.globalGet(globals.resume), make.const(context.startOf(clause)));
    return [make.if(make.eqz(isBefore), makeThrowAgain(held, context))];
  });
  const rest = pointsIn(body).length > 0 ? context.makeDispatch(body) : [make.unreachable()];
  return [make.if(make.globalGet(globals.resume), [...throws, ...rest])];
}

function makeThrowAgain({ selector, tags }: HeldException, { module }: TryContext): Expr[] {
  const { make } = module;
  const throws = tags.map(({ tag, payload }) => make.throw(tag, readPayload(module, tag, payload)));
  if (selector === undefined) return throws;
  const choose = throws.map((again, index) =>
    make.if(make.eqz(make.sub(make.get(selector, i32), make.const(index))), [again]),
  );
  return [...choose, make.unreachable()];
}

/** What an exception carried, from the local where it was kept, as the operands of a `throw`. */
function readPayload(module: IrModule, tag: string, payload: number | undefined): Expr[] {
  const { make } = module;
  if (payload === undefined) return [];
  const type = payloadOf(module, tag);
  const parts = typeParts(type);
  if (parts.length === 1) return [make.get(payload, type)];
  return parts.map((_, index) => make.extract(make.get(payload, type), index));
}

function emitClause(name: string, clause: ClauseRegion, context: TryContext): Expr[] {
  const { make } = context.module;
  const { tag, payload, body, held } = clause;
  const keep = tag === undefined || payload === undefined ? [] : [keepPayload(tag, payload, context)];
  if (held === undefined) return [...keep, ...context.emitRegion(body, [])];
  const wayIn = [make.if(make.globalGet(globals.resume), context.makeDispatch(body))];
  if (tag !== undefined) return [...keep, ...context.emitRegion(body, wayIn)];
  return [emitCatchAll(name, body, held, wayIn, context)];
}

function keepPayload(tag: string, payload: number, { module }: TryContext): Expr {
  return module.make.set(payload, module.make.pop(payloadOf(module, tag)));
}

function emitCatchAll(
  name: string,
  body: Region,
  held: HeldException,
  wayIn: readonly Expr[],
  context: TryContext,
): Expr {
  const { make } = context.module;
  const [end, stay, leave] = [context.newLabel('end'), context.newLabel('stay'), context.newLabel('leave')];
  const [known, foreign] = [context.newLabel('known'), context.newLabel('foreign')];
  const code = make.valueBlock(leave, [...context.emitRegion(body, wayIn, leave), make.br(end)], i32);
  const point = (): Expr => make.get(context.scratch, i32);
  const look = make.try(
    context.newLabel('look'),
    [make.rethrow(name)],
    held.tags.map(({ tag }) => tag),
    [
      ...held.tags.map(({ tag, payload }, index) =>
        make.block(null, [
          ...(payload === undefined ? [] : [keepPayload(tag, payload, context)]),
          ...(held.selector === undefined ? [] : [make.set(held.selector, make.const(index))]),
          make.br(known),
        ]),
      ),
      make.br(foreign),
    ],
  );
  const takeBack = [
    make.call(context.support.use(stayFunction), [make.const(context.firstPoint), point()]),
    make.br(stay),
  ];
  const inspect = make.block(known, [make.block(foreign, [look]), ...takeBack]);
  return make.block(end, [make.loop(stay, [make.set(context.scratch, code), inspect, context.makeLeave()])]);
}
