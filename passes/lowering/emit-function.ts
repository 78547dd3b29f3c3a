/**
 * Makes a function's body from its linear code: polls, unwinding, rewinding.
 *
 *     (local.set $point (block $mvvm.unwind (result i32)     ;; left with a point's number after a call
 *       (block $mvvm.asked                                   ;; left by a point that has asked the host
 *         (if (global.get $mvvm.entering)                    ;; rarely: frames come back, or entries are watched
 *           (then (if (call $mvvm.enter (first))
 *                   (then (if (global.get $mvvm.unwinding) (then (br $mvvm.asked)))
 *                         <restore slots> (call $mvvm.steer ...) (br_table $mvvm.at.0 $mvvm.at.1 ...)))))
 *         <region>)                                          ;; ends in return
 *       (global.get $mvvm.asked)))
 *     <push slots> (call $mvvm.leave (local.get $point))
 *     <zero of the result type, or what twinned-loops.ts says>
 *
 * Twinned loops may have a way out of their own, which is the same once more inside of `mvvm.asked`: two labels, and code
 * that pushes all slots, where the function's own pushes zeros for what only these loops need.
 *
 * Invariants of the normal path: `entering`, `unwinding` and `resume` are 0. A branch to a label `mvvm.at.n` sees the
 * locals as they were saved at point n.
 *
 * Nothing but the polls, and one test of a global after each call that may stop, is on the normal path: emit-loop.ts has
 * where loops poll, nest-counters.ts how those without calls that may stop count in a local.
 */

import { refuse, unsupportedSlot } from '../diagnostics.js';
import type { PendingMarks } from '../dirty/mark-stores.js';
import type { Expr, Type } from '../ir/binaryen.js';
import type { CallTest } from '../ir/call-graph.js';
import {
  callTarget,
  i32,
  i64,
  kindOf,
  none,
  numberTypes,
  typeName,
  typeOf,
  typeParts,
  unreachable,
} from '../ir/expressions.js';
import type { LocalSet } from '../ir/local-set.js';
import { type Maker, slotTypeOf } from '../ir/make.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { atLabel, intoLabel, makeDispatch, makeDispatchToLoops } from './emit-dispatch.js';
import { type EntryContext, emitEntry, type WayBack } from './emit-entry.js';
import { emitLoop } from './emit-loop.js';
import { emitPoll, type PollContext } from './emit-poll.js';
import { emitTry } from './emit-try.js';
import type { FrameLayout, Wanted } from './frame-layout.js';
import type { CallItem, Item, LinearFunction, LoopItem, Point, Region, TryItem } from './linear-code.js';
import { canCountInLocals, makeNestCounters, type NestCounters } from './nest-counters.js';
import type { Numbering } from './number-points.js';
import { makeCallForFrame, type Support } from './support.js';
import { globals, goOnFunction, leaveFunction } from './support-names.js';
import type { TwinnedLoops } from './twinned-loops.js';

export interface EmitContext {
  readonly module: IrModule;
  readonly support: Support;
  readonly numbering: Numbering;
  readonly layout: FrameLayout;
  /** Number of the function's first point in the module. */
  readonly firstPoint: number;
  /** Iterations that a short run of a counted loop may have uncounted, see short-run.ts. */
  readonly shortRun: number;
  readonly comesBack: WayBack;
  /** Whether it is a brief twin (twins.ts): its code is to be small rather than fast, busy or not. */
  readonly isBrief: boolean;
  /** The loops that the function's twin has, if it does not have all of it. */
  readonly twinned: TwinnedLoops;
  /** The twin; or of a twin, the function. */
  readonly counterpart: FunctionInfo | undefined;
  /** Whether points are counted in the global counters during a call, or somebody looks at these. */
  readonly counts: CallTest;
  /** What is to be done before a poll asks the host; undefined unless stores mark what they change. */
  readonly pending: PendingMarks | undefined;
  readonly reenter: EntryContext['reenter'] & {
    /** The support function that re-enters an indirect call's callee. */
    functionFor(call: Expr): string;
    /** The twin of all of a function; undefined where it is of loops alone. */
    twinOf(name: string): FunctionInfo | undefined;
  };
}

/** The new body of `fn`. */
export function emitFunction(fn: LinearFunction, context: EmitContext): Expr {
  return new Emitter(fn, context).run();
}

/** Labels by which frames leave. */
interface WayOut {
  /** With a point's number. */
  readonly unwind: string;
  /** At the point that has asked the host; where there is none, it goes by its number like the others. */
  readonly asked?: string;
}

const functionsWayOut: Required<WayOut> = { unwind: 'mvvm.unwind', asked: 'mvvm.asked' };
/** From twinned loops, with the slots that only they need. */
const loopsWayOut: Required<WayOut> = { unwind: 'mvvm.unwind.loops', asked: 'mvvm.asked.loops' };

const allSlots: Wanted = { has: () => true };

/** Assignments of one constant are nested, and code must not be too deep for whoever walks it. */
const MOST_SHARING_A_ZERO = 16;

class Emitter {
  readonly #fn: LinearFunction;
  readonly #context: EmitContext;
  readonly #make: Maker;
  /** Scratch local, never live across a point. */
  readonly #scratch: number;
  #labels = 0;
  /** By which frames leave the code that is being made. */
  #wayOut: WayOut = functionsWayOut;
  /** Locals of the types that have no short constant; never assigned, so they are zero. */
  readonly #zeros = new Map<Type, number>();
  /** The loops around the code that is being made, outermost first. */
  #loops: readonly string[] = [];
  /** Set inside a nest of loops that counts in locals. */
  #nest: NestCounters | undefined;
  /** Of the code that is being made. */
  #comesBack: WayBack;
  /** What frames leave and come back with that are not in a loop of the twin; undefined if that is all slots. */
  readonly #outside: LocalSet | undefined;

  constructor(fn: LinearFunction, context: EmitContext) {
    this.#fn = fn;
    this.#context = context;
    this.#make = context.module.make;
    this.#scratch = context.module.addLocal(fn.info, i32);
    this.#comesBack = context.comesBack;
    this.#outside = context.comesBack === 'in-itself' ? context.twinned.outside : undefined;
    if (this.#isTwinOfLoops() && context.pending !== undefined) {
      throw new Error('a twin of loops alone does not know the loops around them, whose marks are pending');
    }
  }

  run(): Expr {
    const make = this.#make;
    const region = this.#emitRegion(this.#fn.body, this.#emitEntry(), this.#fn.entry);
    const outside = this.#outside;
    const leavesLoops = (): Expr[] => [...this.#emitWayOut(loopsWayOut, region, allSlots), this.#makeReturnDummy()];
    const code = outside === undefined ? region : leavesLoops();
    return make.functionBody([
      ...this.#emitWayOut(functionsWayOut, code, outside ?? allSlots),
      ...(this.#isTwinOfLoops() ? this.#makeGoOn() : this.#makeDummyResult()),
    ]);
  }

  /** `code`, and behind it what is done when it was left by the labels of a way out: the frame is saved. */
  #emitWayOut({ unwind, asked }: Required<WayOut>, code: readonly Expr[], saved: Wanted): Expr[] {
    const { support, layout } = this.#context;
    const make = this.#make;
    const point = this.#scratch;
    return [
      make.set(point, make.valueBlock(unwind, [make.block(asked, code), make.globalGet(globals.asked)], i32)),
      ...layout.makeSave(support, saved, (type) => this.#makeShortZero(type)),
      make.call(support.use(leaveFunction), [make.get(point, i32)]),
    ];
  }

  #isTwinOfLoops(): boolean {
    return this.#context.comesBack === 'is-twin' && this.#context.twinned.loops.length > 0;
  }

  /** A frame that has only left the twin's loops goes on in the function itself. */
  #makeGoOn(): Expr[] {
    const { module, support, counterpart } = this.#context;
    const make = this.#make;
    if (counterpart === undefined) throw new Error(`${this.#fn.info.name} is the twin of no function`);
    return [
      make.if(make.globalGet(globals.unwinding), [this.#makeReturnDummy()]),
      make.call(support.use(goOnFunction), []),
      ...make.returnAfter(makeCallForFrame(module, counterpart)),
    ];
  }

  #makeReturnDummy(): Expr {
    return this.#make.return(this.#makeDummyResult()[0]);
  }

  #makeDummyResult(): Expr[] {
    const { info } = this.#fn;
    for (const part of typeParts(info.results)) {
      if (!slotTypeOf.has(part)) refuse(unsupportedSlot(`function ${info.name}`, typeName(part)));
    }
    return info.results === none ? [] : [this.#make.zero(info.results)];
  }

  /** Whether frames that are in this loop come back in the twin, though others come back here. */
  #isInTwin(item: Item): boolean {
    return this.#comesBack === 'in-itself' && this.#context.twinned.items.has(item);
  }

  // --- Regions ---

  /**
   * The code of a region: `prelude`, then its items, with a label before each that resuming can go to.
   * @param start the point at the region's very begin, if there is one
   */
  #emitRegion(region: Region, prelude: readonly Expr[], start?: Point): Expr[] {
    let code: Expr[] = [...prelude];
    // All blocks begin where the region begins: each label wraps what has been emitted so far.
    const endBlock = (label: string): void => {
      code = [this.#make.block(label, code)];
    };
    // Where a frame comes back, if it does here.
    const endWayBack = (label: string): void => {
      if (this.#comesBack !== 'in-its-twin') endBlock(label);
    };
    if (start !== undefined) endWayBack(atLabel(start.index));
    for (const item of region) {
      switch (item.kind) {
        case 'statement':
          code.push(this.#nest === undefined ? item.expr : this.#nest.adapt(item.expr));
          break;
        case 'label':
          endBlock(item.name);
          break;
        case 'poll':
          code.push(...this.#makeClear(item.point.stale), ...emitPoll(item, this.#pollContext()));
          endWayBack(atLabel(item.point.index));
          break;
        case 'loop':
          code.push(...this.#makeClear(item.staleBefore));
          if (!this.#isInTwin(item)) endWayBack(intoLabel(item));
          code.push(...this.#emitLoop(item));
          break;
        case 'landing':
          if (this.#isTwinOfLoops()) code.push(...this.#makeLeave(item.inPlaceOf));
          else endBlock(atLabel(item.inPlaceOf.index));
          break;
        case 'try':
          endBlock(intoLabel(item));
          code.push(this.#emitTry(item));
          break;
        case 'call':
          this.#emitCall(item, (...exprs) => code.push(...exprs), endBlock, endWayBack);
          break;
      }
    }
    return code;
  }

  #makeDispatch(region: Region): Expr[] {
    return makeDispatch(region, {
      make: this.#make,
      support: this.#context.support,
      numbering: this.#context.numbering,
      entry: region === this.#fn.body ? this.#fn.entry : undefined,
      scratch: this.#scratch,
      reload: () => this.#nest?.makeReload() ?? [],
      isInTwin: (item) => this.#isInTwin(item),
    });
  }

  #emitEntry(): Expr[] {
    const { module, support, layout, firstPoint, numbering, comesBack, reenter, counterpart } = this.#context;
    const { loops } = this.#context.twinned;
    const make = this.#make;
    return emitEntry({
      module,
      support,
      info: this.#fn.info,
      layout,
      restored: this.#outside ?? allSlots,
      firstPoint,
      pointCount: numbering.points.length,
      comesBack,
      counterpart,
      twinned: loops.map(({ loop }) => numbering.rangeAround(loop)),
      reenter,
      makeDispatch: () =>
        this.#isTwinOfLoops()
          ? makeDispatchToLoops(loops, { make, support, numbering })
          : this.#makeDispatch(this.#fn.body),
      makeUnwindCheck: () => [make.if(make.globalGet(globals.unwinding), this.#makeLeaveAsked(this.#fn.entry))],
      makeLeave: () => this.#makeLeaveAsked(this.#fn.entry),
    });
  }

  // --- Leaving ---

  /** Lets this frame leave at `point` where that has asked the host, and has been told so. */
  #makeLeaveAsked(point: Point): Expr[] {
    const { asked } = this.#wayOut;
    return asked === undefined ? this.#makeLeave(point) : [this.#make.br(asked)];
  }

  /** Lets this frame leave at `point`. */
  #makeLeave(point: Point): Expr[] {
    return [this.#make.br(this.#wayOut.unwind, this.#make.const(this.#context.firstPoint + point.index))];
  }

  /** Sets stale locals to zero, all of one type by one constant: see find-stale-locals.ts. Numbers stay in brief twins. */
  #makeClear(locals: readonly number[]): Expr[] {
    const types = this.#context.module.localTypes(this.#fn.info);
    const byType = new Map<Type, number[][]>();
    for (const local of locals) {
      const type = types[local] ?? i32;
      if (this.#context.isBrief && numberTypes.has(type)) continue;
      const groups = byType.get(type) ?? [];
      const last = groups[groups.length - 1];
      if (last === undefined || last.length === MOST_SHARING_A_ZERO) groups.push([local]);
      else last.push(local);
      byType.set(type, groups);
    }
    const clear = (type: Type, [first = 0, ...others]: readonly number[]): Expr => {
      let zero = this.#makeShortZero(type);
      for (const local of others) zero = this.#make.tee(local, zero, type);
      return this.#make.set(first, zero);
    };
    return [...byType].flatMap(([type, groups]) => groups.map((group) => clear(type, group)));
  }

  #makeShortZero(type: Type): Expr {
    if (type === i32 || type === i64) return this.#make.zero(type);
    const zero = this.#zeros.get(type) ?? this.#context.module.addLocal(this.#fn.info, type);
    this.#zeros.set(type, zero);
    return this.#make.get(zero, type);
  }

  #makeUnwindCheck(point: Point): Expr[] {
    return [this.#make.if(this.#make.globalGet(globals.unwinding), this.#makeLeave(point))];
  }

  // --- Polls and loops ---

  #pollContext(): PollContext {
    const { module, support, firstPoint, pending, isBrief } = this.#context;
    return {
      module,
      support,
      firstPoint,
      pending,
      isBrief,
      scratch: this.#scratch,
      nest: this.#nest,
      loops: this.#loops,
      makeLeave: (point) => this.#makeLeave(point),
      makeLeaveAsked: (point) => this.#makeLeaveAsked(point),
    };
  }

  #emitLoop(loop: LoopItem): Expr[] {
    const outer = { loops: this.#loops, comesBack: this.#comesBack, wayOut: this.#wayOut };
    if (this.#isInTwin(loop)) {
      this.#comesBack = 'in-its-twin';
      if (this.#outside !== undefined) this.#wayOut = loopsWayOut;
    }
    this.#loops = [...outer.loops, loop.name];
    const code = this.#emitLoopOfNest(loop);
    this.#loops = outer.loops;
    this.#comesBack = outer.comesBack;
    this.#wayOut = outer.wayOut;
    return code;
  }

  #emitLoopOfNest(loop: LoopItem): Expr[] {
    const countsInLocals = this.#nest === undefined && loop.isBusy && canCountInLocals(loop, this.#context.counts);
    if (!countsInLocals) return this.#emitLoopCode(loop);
    this.#nest = makeNestCounters(this.#context.module, this.#fn.info, loop);
    const code = [...this.#nest.makeReload(), ...this.#emitLoopCode(loop), ...this.#nest.makeFlush()];
    this.#nest = undefined;
    return code;
  }

  #emitLoopCode(loop: LoopItem): Expr[] {
    return emitLoop(loop, {
      ...this.#pollContext(),
      info: this.#fn.info,
      shortRun: this.#comesBack === 'in-itself' ? 0 : this.#context.shortRun,
      comesBackHere: this.#comesBack !== 'in-its-twin',
      newLabel: (what) => this.#newLabel(what),
      makeClear: (locals) => this.#makeClear(locals),
      makeWayIn: ({ body }) => this.#makeWayIn(body),
      emitRegion: (region, prelude) => this.#emitRegion(region, prelude),
    });
  }

  #makeWayIn(region: Region): Expr[] {
    if (this.#comesBack === 'in-its-twin') return [];
    const dispatch = this.#makeDispatch(region);
    return dispatch.length === 0 ? [] : [this.#make.if(this.#make.globalGet(globals.resume), dispatch)];
  }

  // --- Exceptions ---

  #emitTry(item: TryItem): Expr {
    const { module, support, firstPoint, numbering } = this.#context;
    const outer = this.#wayOut;
    return emitTry(item, {
      module,
      support,
      firstPoint,
      scratch: this.#scratch,
      startOf: (region) => numbering.rangeOf(region).start,
      newLabel: (what) => this.#newLabel(what),
      makeDispatch: (region) => this.#makeDispatch(region),
      emitRegion: (region, prelude, unwind) => {
        if (unwind !== undefined) this.#wayOut = { unwind };
        const code = this.#emitRegion(region, prelude);
        this.#wayOut = outer;
        return code;
      },
      makeLeave: () => this.#make.br(outer.unwind, this.#make.get(this.#scratch, i32)),
    });
  }

  // --- Calls ---

  #emitCall(
    { call, point, result: wanted }: CallItem,
    push: (...exprs: Expr[]) => void,
    endBlock: (label: string) => void,
    endWayBack: (label: string) => void,
  ): void {
    const make = this.#make;
    const type = typeOf(call);
    // What a call returns while frames leave must not overwrite what the frame still needs: an operand of the call that is
    // made again, or what a `catch` reads if the call throws after all.
    const isNeeded = wanted !== undefined && (point.kind === 'host' || point.live.has(wanted));
    const result = isNeeded ? this.#context.module.addLocal(this.#fn.info, type) : wanted;
    const again = this.#makeCallAgain(call);
    if (again === undefined) {
      endWayBack(atLabel(point.index));
      push(this.#makeStore(call, result));
    } else {
      const after = this.#newLabel('after');
      push(this.#makeStore(call, result), make.br(after));
      endWayBack(atLabel(point.index));
      push(this.#makeStore(again, result));
      endBlock(after);
    }
    push(...this.#makeClear(point.stale), ...this.#makeUnwindCheck(point));
    if (isNeeded && result !== undefined) push(make.set(wanted, make.get(result, type)));
  }

  /** How a frame is called that comes back on top of this one here, if it is not by the same call. */
  #makeCallAgain(call: Expr): Expr | undefined {
    const { module, reenter } = this.#context;
    if (this.#comesBack === 'in-its-twin') return undefined;
    // The table may have changed since: resuming calls the function whose frame is next, not the table's element.
    if (kindOf(call) === 'CallIndirect') return this.#make.call(reenter.functionFor(call), [], typeOf(call));
    const isWholeTwin = this.#comesBack === 'is-twin' && !this.#isTwinOfLoops();
    const twin = isWholeTwin ? reenter.twinOf(callTarget(call)) : undefined;
    return twin === undefined ? undefined : makeCallForFrame(module, twin);
  }

  #makeStore(call: Expr, result: number | undefined): Expr {
    if (result !== undefined) return this.#make.set(result, call);
    const type: Type = typeOf(call);
    return type === none || type === unreachable ? call : this.#make.drop(call);
  }

  #newLabel(what: string): string {
    this.#labels += 1;
    return `mvvm.${what}.${this.#labels}`;
  }
}
