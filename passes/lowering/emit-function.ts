/**
 * Makes a function's body from its linear code: polls, unwinding, rewinding.
 *
 *     (local.set $point (block $mvvm.unwind (result i32)
 *       (if (global.get $mvvm.entering)                    ;; rarely: frames come back, or entries are watched
 *         (then (local.set $target (call $mvvm.enter (first)))
 *               (if (i32.ge_s (local.get $target) 0)
 *                 (then <restore slots> (call $mvvm.steer ...) (br_table $mvvm.at.0 $mvvm.at.1 ...))
 *                 (else (if (global.get $mvvm.unwinding) (then (br $mvvm.unwind (first))))))))
 *       <region>                                           ;; ends in return
 *     ))
 *     <push slots> (call $mvvm.leave (local.get $point))
 *     <zero of the result type>
 *
 * Invariants of the normal path: `entering`, `unwinding` and `resume` are 0. A branch to a label `mvvm.at.n` sees the
 * locals as they were saved at point n.
 *
 * Nothing but the polls, and one test of a global after each call that may stop, is on the normal path. In particular:
 * - dispatching into a loop needs no test of its own: the loop's poll is made to take its slow path, which looks whether
 *   somebody is on the way to a point inside
 * - a loop with no other point inside has its slow path outside of itself, so that the call there does not disturb how an
 *   engine allocates registers in the loop
 * - a nest of loops without calls that may stop counts in a local
 */

import { refuse, unsupportedSlot } from '../diagnostics.js';
import type { PendingMarks } from '../dirty/mark-stores.js';
import type { Expr, Type } from '../ir/binaryen.js';
import { callTarget, i32, i64, kindOf, none, typeName, typeOf, typeParts, unreachable } from '../ir/expressions.js';
import { type Maker, slotTypeOf } from '../ir/make.js';
import type { Gate } from '../ir/marks.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { type CountedLoop, recogniseCountedLoop } from './counted-loop.js';
import { emitTry } from './emit-try.js';
import type { FrameLayout } from './frame-layout.js';
import type { CallItem, Item, LinearFunction, LoopItem, Point, PollItem, Region, TryItem } from './linear-code.js';
import { pollsAtHead } from './linear-code.js';
import { makeNestCounters, type NestCounters } from './nest-counters.js';
import { type Numbering, pointsThrough } from './number-points.js';
import { copyLoop, isSmall, uncountedIterations } from './short-loop.js';
import {
  elsewhereFunction,
  enterFunction,
  fireFunction,
  fireInNestFunction,
  globals,
  leaveFunction,
  type Support,
  steerFunction,
  zerosOf,
} from './support.js';

export interface EmitContext {
  readonly module: IrModule;
  readonly support: Support;
  readonly numbering: Numbering;
  readonly layout: FrameLayout;
  /** Number of the function's first point in the module. */
  readonly firstPoint: number;
  readonly thresholdBits: number;
  readonly comesBack: WayBack;
  /** What is to be done before a poll asks the host; undefined unless stores mark what they change. */
  readonly pending: PendingMarks | undefined;
  readonly reenter: {
    /** The support function that re-enters an indirect call's callee. */
    functionFor(call: Expr): string;
    /** The same for what runs in place of a function that ends in tail calls; undefined where it does not. */
    forwarderOf(info: FunctionInfo): string | undefined;
    /** The twin that comes back instead of a function. */
    twinOf(name: string): FunctionInfo | undefined;
  };
}

/**
 * Where frames of a function come back: in the function itself, or in its *twin*, which has the same code with a way to
 * each point, so that the function itself has none: see twins.ts.
 */
export type WayBack = 'in-itself' | 'in-its-twin' | 'is-twin';

/** The new body of `fn`. */
export function emitFunction(fn: LinearFunction, context: EmitContext): Expr {
  return new Emitter(fn, context).run();
}

const unwindLabel = 'mvvm.unwind';

class Emitter {
  readonly #fn: LinearFunction;
  readonly #context: EmitContext;
  readonly #make: Maker;
  /** Scratch local, never live across a point. */
  readonly #scratch: number;
  #labels = 0;
  /** By which frames leave the code that is being made. */
  #unwind = unwindLabel;
  /** Locals of the types that have no short constant; never assigned, so they are zero. */
  readonly #zeros = new Map<Type, number>();
  /** The loops around the code that is being made, outermost first. */
  #loops: readonly string[] = [];
  /** Set inside a nest of loops that counts in locals. */
  #nest: NestCounters | undefined;

  constructor(fn: LinearFunction, context: EmitContext) {
    this.#fn = fn;
    this.#context = context;
    this.#make = context.module.make;
    this.#scratch = context.module.addLocal(fn.info, i32);
  }

  run(): Expr {
    const { support, layout } = this.#context;
    const make = this.#make;
    const point = this.#scratch;
    const code = this.#emitRegion(this.#fn.body, this.#makeEntry(), this.#fn.entry);
    return make.functionBody([
      make.set(point, make.valueBlock(unwindLabel, code, i32)),
      ...layout.makeSave(support),
      make.call(support.use(leaveFunction), [make.get(point, i32)]),
      ...this.#makeDummyResult(),
    ]);
  }

  #makeDummyResult(): Expr[] {
    const { info } = this.#fn;
    for (const part of typeParts(info.results)) {
      if (!slotTypeOf.has(part)) refuse(unsupportedSlot(`function ${info.name}`, typeName(part)));
    }
    return info.results === none ? [] : [this.#make.zero(info.results)];
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
      if (this.#context.comesBack !== 'in-its-twin') endBlock(label);
    };
    if (start !== undefined) endWayBack(atLabel(start.index));
    for (const item of region) {
      switch (item.kind) {
        case 'statement':
          code.push(this.#nest === undefined ? item.expr : this.#nest.flushAtExits(item.expr));
          break;
        case 'label':
          endBlock(item.name);
          break;
        case 'poll':
          code.push(...this.#makeClear(item.point.stale), ...this.#emitPoll(item));
          endWayBack(atLabel(item.point.index));
          break;
        case 'loop':
          code.push(...this.#makeClear(item.staleBefore));
          endWayBack(intoLabel(item));
          code.push(...this.#emitLoop(item));
          break;
        case 'try':
          endBlock(intoLabel(item));
          code.push(this.#emitTry(item));
          break;
        case 'call':
          this.#emitCall(item, code, endBlock, (expr) => code.push(expr));
          break;
      }
    }
    return code;
  }

  /** Goes on the way to the point in `region` that `resume` names. */
  #makeDispatch(region: Region): Expr[] {
    const { support, numbering } = this.#context;
    const make = this.#make;
    const { start, countedLoopsEnd, loopsEnd, nestedStart, end } = numbering.rangeOf(region);
    const isFunction = region === this.#fn.body;
    const first = isFunction ? 0 : start;
    const labels = new Array<string>(end - first);
    if (isFunction) labels[0] = atLabel(0);
    for (const item of region) for (const [index, label] of resumeLabels(item)) labels[index - first] = label;
    const last = labels[labels.length - 1];
    if (last === undefined) throw new Error('a region without points needs no dispatch');
    const bounds = [first, countedLoopsEnd, loopsEnd, nestedStart].map((bound) => make.const(bound));
    const steer = make.call(support.use(steerFunction), bounds, i32);
    const reload = this.#nest?.makeReload() ?? [];
    if (labels.every((label) => label === last)) return [make.drop(steer), ...reload, make.br(last)];
    if (reload.length === 0) return [make.brTable(labels, last, steer)];
    return [make.set(this.#scratch, steer), ...reload, make.brTable(labels, last, make.get(this.#scratch, i32))];
  }

  /** The frame that comes back may be of a function that this one has called in its own place. */
  #makeForward(): Expr[] {
    const { support, firstPoint, numbering, reenter } = this.#context;
    const make = this.#make;
    const forwarder = reenter.forwarderOf(this.#fn.info);
    if (forwarder === undefined) return [];
    const bounds = [make.const(firstPoint), make.const(firstPoint + numbering.points.length)];
    const { results } = this.#fn.info;
    const call = make.call(forwarder, [], results);
    const leave = results === none ? [call, make.return()] : [make.return(call)];
    return [make.if(make.call(support.use(elsewhereFunction), bounds, i32), leave)];
  }

  #makeEntry(): Expr[] {
    const { support, layout, firstPoint, comesBack } = this.#context;
    const make = this.#make;
    const comeBack = (): Expr[] => [...layout.makeRestore(support), ...this.#makeDispatch(this.#fn.body)];
    const enter = (): Expr => make.call(support.use(enterFunction), [make.const(firstPoint)], i32);
    switch (comesBack) {
      case 'is-twin':
        return [make.drop(enter()), ...comeBack()];
      case 'in-itself': {
        const back = comeBack();
        const watched = make.lessSigned(enter(), make.const(0));
        return [
          make.if(make.globalGet(globals.entering), [
            ...this.#makeForward(),
            make.if(watched, this.#makeUnwindCheck(this.#fn.entry), back),
          ]),
        ];
      }
      case 'in-its-twin': {
        const rewinding = make.and(make.globalGet(globals.entering), make.const(1));
        return [
          make.if(make.globalGet(globals.entering), [
            ...this.#makeForward(),
            make.if(rewinding, this.#makeCallOfTwin()),
            make.drop(enter()),
            ...this.#makeUnwindCheck(this.#fn.entry),
          ]),
        ];
      }
    }
  }

  #makeCallOfTwin(): Expr[] {
    const { module, reenter } = this.#context;
    const make = this.#make;
    const twin = reenter.twinOf(this.#fn.info.name);
    if (twin === undefined) throw new Error(`${this.#fn.info.name} has no twin`);
    const call = make.call(twin.name, zerosOf(module, twin.params), twin.results);
    return twin.results === none ? [call, make.return()] : [make.return(call)];
  }

  // --- Leaving ---

  #number(point: Point): Expr {
    return this.#make.const(this.#context.firstPoint + point.index);
  }

  /** Lets this frame leave at `point`. */
  #makeLeave(point: Point): Expr[] {
    return [this.#make.br(this.#unwind, this.#number(point))];
  }

  /** Sets stale locals to zero, see find-stale-locals.ts. */
  #makeClear(locals: readonly number[]): Expr[] {
    const types = this.#context.module.localTypes(this.#fn.info);
    return locals.map((local) => this.#make.set(local, this.#makeShortZero(types[local] ?? i32)));
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

  // --- Polls ---

  /** The condition of a poll: takes one off the gate's counter and tells whether it is zero now. */
  #makeCountdown(gate: Gate): { before: Expr[]; isZero: Expr } {
    const make = this.#make;
    const cached = this.#nest?.local(gate);
    if (cached !== undefined) {
      const next = make.sub(make.get(cached, i32), make.const(1));
      return { before: [], isZero: make.eqz(make.tee(cached, next, i32)) };
    }
    const counter = gate === 'counted' ? globals.counter : globals.budget;
    const next = make.sub(make.globalGet(counter), make.const(1));
    const before = make.globalSet(counter, make.tee(this.#scratch, next, i32));
    return { before: [before], isZero: make.eqz(make.get(this.#scratch, i32)) };
  }

  /** The slow path of a poll: asks, and leaves if told so. */
  #makeFire(point: Point, gate: Gate): Expr[] {
    const make = this.#make;
    const before = this.#context.pending?.makeFlush(this.#loops) ?? [];
    const counter = this.#nest?.onlyLocal(gate);
    if (counter !== undefined) {
      return [...before, make.if(make.eqz(this.#makeFireInNest(point, gate, counter)), this.#makeLeave(point))];
    }
    const fire = make.call(this.#context.support.use(fireFunction[gate]), [this.#number(point)], i32);
    return [
      ...before,
      ...(this.#nest?.makeFlush() ?? []),
      make.if(fire, this.#makeLeave(point)),
      ...(this.#nest?.makeReload() ?? []),
    ];
  }

  /** Asks; gives the counter its next value, which is 0 when the frame must leave. */
  #makeFireInNest(point: Point, gate: Gate, counter: number): Expr {
    const fire = this.#context.support.use(fireInNestFunction[gate]);
    return this.#make.tee(counter, this.#make.call(fire, [this.#number(point)], i32), i32);
  }

  #emitPoll({ gate, point }: PollItem): Expr[] {
    const { before, isZero } = this.#makeCountdown(gate);
    return [...before, this.#make.if(isZero, this.#makeFire(point, gate))];
  }

  // --- Loops ---

  #emitLoop(loop: LoopItem): Expr[] {
    const outer = this.#loops;
    this.#loops = [...outer, loop.name];
    const code = this.#emitLoopOfNest(loop);
    this.#loops = outer;
    return code;
  }

  #emitLoopOfNest(loop: LoopItem): Expr[] {
    if (this.#nest !== undefined || !isCallFree(loop)) return this.#emitLoopCode(loop);
    this.#nest = makeNestCounters(this.#context.module, this.#fn.info, loop);
    const code = [...this.#nest.makeReload(), ...this.#emitLoopCode(loop), ...this.#nest.makeFlush()];
    this.#nest = undefined;
    return code;
  }

  #emitLoopCode(loop: LoopItem): Expr[] {
    const { gate, point } = loop;
    if (gate === undefined || point === undefined) return this.#emitUnpolledLoop(loop);
    return pollsAtHead(loop) ? this.#emitOuterLoop(loop, gate, point) : this.#emitInnerLoop(loop, gate, point);
  }

  /**
   * Polls where an iteration ends that is followed by another: a loop that is run through once pays nothing.
   *
   *     (block $exit (loop $again
   *       (block $slow
   *         (loop $head
   *           (block $name <body> (br $exit))                ;; what went to the loop's head goes to the block's end
   *           (br_if $slow <countdown>)
   *           (br $head)))
   *       <fire>
   *       (br $again)))
   */
  #emitInnerLoop(loop: LoopItem, gate: Gate, point: Point): Expr[] {
    const make = this.#make;
    const [exit, again, slow] = [this.#newLabel('exit'), this.#newLabel('again'), this.#newLabel('slow')];
    const counted = this.#recogniseCounted(loop, gate);
    const short = counted === undefined ? [] : this.#emitShortRun(loop, gate, counted, exit);
    const run =
      counted === undefined
        ? [make.block(slow, this.#emitPolledLoop(loop, gate, exit, slow))]
        : this.#emitCountedLoop(loop, gate, counted, exit);
    // Who comes back to the loop sees the short run first; so must who goes on in it, or they would count differently.
    const code = make.loop(again, [...short, ...run, ...this.#makeFireAgain(point, gate, again)]);
    return endsOpen(loop.body) ? [make.block(exit, [code])] : [code];
  }

  #emitPolledLoop(loop: LoopItem, gate: Gate, exit: string, slow: string): Expr[] {
    const make = this.#make;
    const head = this.#newLabel('head');
    const body = [...this.#emitRegion(loop.body, []), ...(endsOpen(loop.body) ? [make.br(exit)] : [])];
    const { before, isZero } = this.#makeCountdown(gate);
    const poll = [...before, make.brIf(slow, isZero)];
    return [
      make.loop(head, [make.block(loop.name, body), ...this.#makeClear(loop.staleAtEnd), ...poll, make.br(head)]),
    ];
  }

  /**
   * A counted loop without a poll inside: it runs as one strip to its end if the gate will not open meanwhile, else as a
   * strip to where it does, which leaves the gate's counter at zero.
   *
   *     if (remaining < counter) { counter -= remaining; limit = end }
   *     else { limit = i + counter * step; counter = 0 }
   *     (loop $name <body, which tests against limit>)
   *     (br_if $exit counter)
   */
  #emitCountedLoop(loop: LoopItem, gate: Gate, counted: CountedLoop, exit: string): Expr[] {
    const make = this.#make;
    const { module } = this.#context;
    const counter = this.#nest?.local(gate) ?? this.#scratch;
    const limit = module.addLocal(this.#fn.info, i32);
    const count = (): Expr => make.get(counter, i32);
    const toEnd = [
      make.set(counter, make.sub(count(), make.get(this.#scratch, i32))),
      make.set(limit, counted.makeEnd()),
    ];
    const reached = make.multiply(count(), make.const(counted.step));
    const toGate = [
      make.set(limit, make.add(make.get(counted.counter, i32), reached)),
      make.set(counter, make.const(0)),
    ];
    const remaining = make.tee(this.#scratch, counted.makeRemaining(), i32);
    counted.testAgainst(limit);
    return [
      make.if(make.lessUnsigned(remaining, count()), toEnd, toGate),
      make.loop(loop.name, this.#emitRegion(loop.body, [])),
      make.brIf(exit, count()),
      ...this.#makeClear(loop.staleAtEnd),
    ];
  }

  #recogniseCounted(loop: LoopItem, gate: Gate): CountedLoop | undefined {
    return this.#nest?.local(gate) === undefined ? undefined : recogniseCountedLoop(this.#context.module, loop);
  }

  /**
   * A counted loop of few iterations is run as it is, without counting:
   *
   *     (block $long
   *       (br_if $long (i32.eqz <few iterations are left>))
   *       (loop <copy of the loop>)
   *       (br $exit))
   */
  #emitShortRun(loop: LoopItem, gate: Gate, counted: CountedLoop, exit: string): Expr[] {
    const make = this.#make;
    const count = gate === 'counted' ? uncountedIterations(this.#context.thresholdBits) : 0;
    if (count === 0 || !isSmall(loop)) return [];
    const long = this.#newLabel('long');
    return [
      make.block(long, [
        make.brIf(long, make.eqz(counted.makeIsShort(count))),
        copyLoop(
          this.#context.module,
          loop,
          (statement) => this.#nest?.flushAtExits(statement) ?? statement,
          () => this.#newLabel('short'),
        ),
        make.br(exit),
      ]),
    ];
  }

  /** The slow path of an inner loop: asks, and enters the loop again. */
  #makeFireAgain(point: Point, gate: Gate, again: string): Expr[] {
    const make = this.#make;
    const counter = this.#nest?.onlyLocal(gate);
    if (counter === undefined) return [...this.#makeFire(point, gate), make.br(again)];
    const before = this.#context.pending?.makeFlush(this.#loops) ?? [];
    return [...before, make.brIf(again, this.#makeFireInNest(point, gate, counter)), ...this.#makeLeave(point)];
  }

  /** The poll's slow path also leads to points inside; it comes first, so the rest of the body can be skipped. */
  #emitOuterLoop(loop: LoopItem, gate: Gate, point: Point): Expr[] {
    const make = this.#make;
    const { before, isZero } = this.#makeCountdown(gate);
    const prelude = [...before, make.if(isZero, [...this.#makeWayIn(loop), ...this.#makeFire(point, gate)])];
    return this.#emitLoopOverPoints(loop, prelude);
  }

  #emitUnpolledLoop(loop: LoopItem): Expr[] {
    return this.#emitLoopOverPoints(loop, this.#makeWayIn(loop));
  }

  #makeWayIn(loop: LoopItem): Expr[] {
    if (this.#context.comesBack === 'in-its-twin') return [];
    return [this.#make.if(this.#make.globalGet(globals.resume), this.#makeDispatch(loop.body))];
  }

  /**
   * What is stale is cleared on the way back to the head, not there: who comes to the head to resume needs all locals.
   *
   *     (block $exit (loop $head
   *       (block $name <prelude> <body> (br $exit))
   *       <clear>
   *       (br $head)))
   */
  #emitLoopOverPoints(loop: LoopItem, prelude: readonly Expr[]): Expr[] {
    const make = this.#make;
    const body = this.#emitRegion(loop.body, prelude);
    if (loop.staleAtEnd.length === 0) return [make.loop(loop.name, body)];
    const [head, exit] = [this.#newLabel('head'), this.#newLabel('exit')];
    const leave = endsOpen(loop.body) ? [make.br(exit)] : [];
    const clear = this.#makeClear(loop.staleAtEnd);
    const code = make.loop(head, [make.block(loop.name, [...body, ...leave]), ...clear, make.br(head)]);
    return endsOpen(loop.body) ? [make.block(exit, [code])] : [code];
  }

  // --- Exceptions ---

  #emitTry(item: TryItem): Expr {
    const { module, support, firstPoint, numbering } = this.#context;
    const outer = this.#unwind;
    return emitTry(item, {
      module,
      support,
      firstPoint,
      scratch: this.#scratch,
      startOf: (region) => numbering.rangeOf(region).start,
      newLabel: (what) => this.#newLabel(what),
      makeDispatch: (region) => this.#makeDispatch(region),
      emitRegion: (region, prelude, unwind = outer) => {
        this.#unwind = unwind;
        const code = this.#emitRegion(region, prelude);
        this.#unwind = outer;
        return code;
      },
      makeLeave: () => this.#make.br(outer, this.#make.get(this.#scratch, i32)),
    });
  }

  // --- Calls ---

  #emitCall(item: CallItem, code: Expr[], endBlock: (label: string) => void, push: (expr: Expr) => void): void {
    const make = this.#make;
    const { call, point } = item;
    const type = typeOf(call);
    // What a call returns while frames leave must not overwrite what the frame still needs: an operand of the call that is
    // made again, or what a `catch` reads if the call throws after all.
    const isNeeded = item.result !== undefined && (point.kind === 'host' || point.live.has(item.result));
    const result = isNeeded ? this.#context.module.addLocal(this.#fn.info, type) : item.result;
    const again = this.#context.comesBack === 'in-its-twin' ? undefined : this.#makeCallAgain(call);
    if (again !== undefined) {
      const after = this.#newLabel('after');
      code.push(this.#makeStore(call, result), make.br(after));
      endBlock(atLabel(point.index));
      push(this.#makeStore(again, result));
      endBlock(after);
    } else {
      if (this.#context.comesBack !== 'in-its-twin') endBlock(atLabel(point.index));
      push(this.#makeStore(call, result));
    }
    for (const expr of [...this.#makeClear(point.stale), ...this.#makeUnwindCheck(point)]) push(expr);
    if (item.result !== undefined && result !== undefined && isNeeded) {
      push(make.set(item.result, make.get(result, type)));
    }
  }

  /** How a frame is called that comes back on top of this one, if it is not by the same call. */
  #makeCallAgain(call: Expr): Expr | undefined {
    const { module, reenter, comesBack } = this.#context;
    // The table may have changed since: resuming calls the function whose frame is next, not the table's element.
    if (kindOf(call) === 'CallIndirect') return this.#make.call(reenter.functionFor(call), [], typeOf(call));
    const twin = comesBack === 'is-twin' ? reenter.twinOf(callTarget(call)) : undefined;
    return twin === undefined ? undefined : this.#make.call(twin.name, zerosOf(module, twin.params), twin.results);
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

const atLabel = (index: number): string => `mvvm.at.${index}`;
const intoLabel = ({ kind, name }: LoopItem | TryItem): string => `mvvm.into.${kind === 'try' ? 'try.' : ''}${name}`;

/** Indices of the points that are reached through an item, with the label to go to. */
function resumeLabels(item: Item): [number, string][] {
  if (item.kind === 'loop' || item.kind === 'try') return pointsThrough(item).map((index) => [index, intoLabel(item)]);
  return item.kind === 'poll' || item.kind === 'call' ? [[item.point.index, atLabel(item.point.index)]] : [];
}

/** Whether a loop has no `try` with points inside, and no call during which another function's polls count or the host can ask to leave. */
function isCallFree(loop: LoopItem): boolean {
  return loop.body.every((item) => {
    if (item.kind === 'call' || item.kind === 'try') return false;
    return item.kind !== 'loop' || isCallFree(item);
  });
}

/** Whether control can fall out of a region's end. */
function endsOpen(region: Region): boolean {
  const last = region[region.length - 1];
  return last?.kind !== 'statement' || typeOf(last.expr) !== unreachable;
}
