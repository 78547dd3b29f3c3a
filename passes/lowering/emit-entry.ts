/**
 * Makes the code at a function's begin, which is for frames that come back and for entries that are watched. What it does
 * depends on where frames of the function come back.
 *
 *     ;; in itself
 *     (if (global.get $mvvm.entering)
 *       (then <forward>
 *             (if (call $mvvm.enter (first))
 *               (then (if (global.get $mvvm.unwinding) (then (br $mvvm.asked)))
 *                     <if the point is in a twinned loop: (return (call $twin <zeros>))>
 *                     <restore slots> <dispatch>))))
 *
 *     ;; in its twin
 *     (if (global.get $mvvm.entering)
 *       (then <forward>
 *             (if (i32.and (global.get $mvvm.entering) 1) (then (return (call $twin <zeros>))))
 *             (if (call $mvvm.enter (first)) (then (br $mvvm.asked)))))
 *
 *     ;; the twin, which is called for nothing else
 *     (drop (call $mvvm.enter (first)))                      ;; but for one of loops, whose function has entered
 *     <restore slots> <dispatch>
 */

import type { Expr } from '../ir/binaryen.js';
import { i32 } from '../ir/expressions.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import type { FrameLayout, Wanted } from './frame-layout.js';
import { makeCallForFrame, makeIsRewinding, type Support } from './support.js';
import { elsewhereFunction, enterFunction, globals } from './support-names.js';

/**
 * Where frames of a function come back: in the function itself, or in its *twin*, which has the same code with a way to
 * each point, so that the function itself has none: see twins.ts. For code in a twinned loop (twinned-loops.ts) it is
 * in-its-twin, though the function around comes back in itself.
 */
export type WayBack = 'in-itself' | 'in-its-twin' | 'is-twin';

/** What the emitter of a function lends. */
export interface EntryContext {
  readonly module: IrModule;
  readonly support: Support;
  readonly info: FunctionInfo;
  readonly layout: FrameLayout;
  /** Locals that are needed where frames come back here. */
  readonly restored: Wanted;
  /** Number of the function's first point in the module. */
  readonly firstPoint: number;
  readonly pointCount: number;
  readonly comesBack: WayBack;
  /** The twin; or of a twin, the function. */
  readonly counterpart: FunctionInfo | undefined;
  /** Points that come back in the twin though others come back here: numbers of the first, and of the first beyond. */
  readonly twinned: readonly { readonly start: number; readonly end: number }[];
  readonly reenter: {
    /** The support function that re-enters what runs in place of a function; undefined if it ends in no tail calls. */
    forwarderOf(info: FunctionInfo): string | undefined;
  };
  /** Goes on the way to the point that `resume` names. */
  makeDispatch(): Expr[];
  /** Lets the frame leave at the function's first point, if frames leave. */
  makeUnwindCheck(): Expr[];
  makeLeave(): Expr[];
}

export function emitEntry(context: EntryContext): Expr[] {
  const { module, support, layout, restored, firstPoint, comesBack } = context;
  const { make } = module;
  const comeBack = (): Expr[] => [...layout.makeRestore(support, restored), ...context.makeDispatch()];
  const enter = (): Expr => make.call(support.use(enterFunction), [make.const(firstPoint)], i32);
  switch (comesBack) {
    case 'is-twin':
      // Of loops alone, it is called by the function, which has entered.
      return context.twinned.length === 0 ? [make.drop(enter()), ...comeBack()] : comeBack();
    case 'in-itself': {
      const back = [...makeGoToTwin(context), ...comeBack()];
      return [
        make.if(make.globalGet(globals.entering), [
          ...makeForward(context),
          make.if(enter(), [...context.makeUnwindCheck(), ...back]),
        ]),
      ];
    }
    case 'in-its-twin':
      return [
        make.if(make.globalGet(globals.entering), [
          ...makeForward(context),
          make.if(makeIsRewinding(module), makeCallOfTwin(context)),
          make.if(enter(), context.makeLeave()),
        ]),
      ];
  }
}

/** The frame that comes back may be of a function that this one has called in its own place. */
function makeForward({ module, support, info, firstPoint, pointCount, reenter }: EntryContext): Expr[] {
  const { make } = module;
  const forwarder = reenter.forwarderOf(info);
  if (forwarder === undefined) return [];
  const bounds = [make.const(firstPoint), make.const(firstPoint + pointCount)];
  const leave = make.returnAfter(make.call(forwarder, [], info.results));
  return [make.if(make.call(support.use(elsewhereFunction), bounds, i32), leave)];
}

function makeCallOfTwin({ module, info, counterpart }: EntryContext): Expr[] {
  if (counterpart === undefined) throw new Error(`${info.name} has no twin`);
  return module.make.returnAfter(makeCallForFrame(module, counterpart));
}

/** Goes on in the twin if the point to come back to is in one of its loops. */
function makeGoToTwin(context: EntryContext): Expr[] {
  const { make } = context.module;
  if (context.twinned.length === 0) return [];
  const isInLoop = joinRanges(context.twinned)
    .map(({ start, end }) => {
      const offset = make.sub(make.globalGet(globals.resume), make.const(start));
      return make.lessUnsigned(offset, make.const(end - start));
    })
    .reduce((one, other) => make.or(one, other));
  return [make.if(make.eqz(make.globalGet(globals.landing)), [make.if(isInLoop, makeCallOfTwin(context))])];
}

/** The fewest ranges that cover the same: those of loops that follow each other adjoin. */
function joinRanges(ranges: EntryContext['twinned']): EntryContext['twinned'] {
  const joined: { start: number; end: number }[] = [];
  for (const { start, end } of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = joined[joined.length - 1];
    if (last?.end === start) last.end = end;
    else joined.push({ start, end });
  }
  return joined;
}
