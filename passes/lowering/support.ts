/**
 * The functions and globals that lowered code uses, shared by the whole module. They are cold: the normal path reads
 * and writes globals, and calls one of these only when a poll fires or frames leave or come back.
 */

import {
  IMPORT_MODULE,
  imports,
  isReference,
  type ReferenceType,
  type SlotType,
  slotTypes,
  wordsOf,
} from '../../runtime/abi/index.js';
import type { Expr, Type } from '../ir/binaryen.js';
import { i32, i64, makeTupleType, none, typeParts } from '../ir/expressions.js';
import { typeOfSlot } from '../ir/make.js';
import type { Gate } from '../ir/marks.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { uncountedIterations } from '../ir/short-loops.js';
import { makeCharged } from './charged-counter.js';

/** Internal names of the imported functions. */
export const importNames = { poll: 'mvvm.poll', push: 'mvvm.push', pop: 'mvvm.pop', stay: 'mvvm.ask_stay' } as const;

/** Names of the globals, all `mut i32` that are 0 at first unless said otherwise. */
export const globals = {
  /** 1 while frames leave. Read after each call that may stop. */
  unwinding: 'mvvm.unwinding',
  /** Bit 0: frames come back. Bit 1: function entries fire. Read at the entry of each instrumented function. */
  entering: 'mvvm.entering',
  /** While a function finds its way into a loop: index of the point to resume at, else 0. */
  resume: 'mvvm.resume',
  /** Passings of counted points until one fires; 2^threshold at first. */
  counter: 'mvvm.counter',
  /** Stable points until the host is asked again; 1 at first. */
  budget: 'mvvm.budget',
  /** What counter and budget will be once the innermost frame is back. */
  savedCounter: 'mvvm.saved_counter',
  savedBudget: 'mvvm.saved_budget',
  /** Number of the point that has asked the host last: where the frame leaves, if it must. */
  asked: 'mvvm.asked',
  /** 1 while a frame is on its way to a landing: `resume` then names that, by a point of the loop that was left. */
  landing: 'mvvm.landing',
  /** Frames on the stream. */
  frames: 'mvvm.frames',
} as const;

/** The global that counts for a gate: passings until it opens. */
export function counterOf(gate: Gate): string {
  return gate === 'counted' ? globals.counter : globals.budget;
}

/** Whether frames come back: bit 0 of `entering`. */
export function makeIsRewinding({ make }: IrModule): Expr {
  return make.and(make.globalGet(globals.entering), make.const(1));
}

/** Globals of modules with dirty bits, see dirty-bits.ts. */
export const dirtyGlobals = {
  /** Bits of the memory regions written since the last checkpoint; i64, all set at first. */
  bits: 'mvvm.dirty',
  /** Points passed without firing since nothing had changed. */
  cleanPoints: 'mvvm.clean_points',
} as const;

/** Pages of a memory so large that an address that comes round could go unnoticed: all of it counts as dirty. */
const ALL_DIRTY_PAGES = 65534;

/** The dirty bits, as the host may believe them. */
export function makeDirtyBits(module: IrModule): Expr {
  const { make } = module;
  const bits = make.globalGet(dirtyGlobals.bits, i64);
  if (!module.memories.areThere) return bits;
  return make.select(make.lessUnsigned(make.memorySize(), make.const(ALL_DIRTY_PAGES)), bits, make.const64(-1n));
}

/** The function that a fired poll calls: `(point) -> i32`, 1 when the frame must leave. */
export const fireFunction: Readonly<Record<Gate, string>> = {
  budget: 'mvvm.fire',
  counted: 'mvvm.fire_counted',
  dirty: 'mvvm.fire_dirty',
};

/**
 * A poll of code that shall be small: `(point) -> i32`, takes one off the gate's counter; 1 when the frame must leave, or is
 * on the way to a point.
 */
export const tickFunction: Readonly<Record<Gate, string>> = {
  budget: 'mvvm.tick',
  counted: 'mvvm.tick_counted',
  dirty: 'mvvm.tick_dirty',
};

/**
 * The same for a nest of loops that counts for this gate alone, in a local: `(point) -> i32`, the local's next value, or
 * 0 when the frame must leave.
 */
export const fireInNestFunction: Readonly<Record<Gate, string>> = {
  budget: 'mvvm.fire_in_nest',
  counted: 'mvvm.fire_counted_in_nest',
  dirty: 'mvvm.fire_dirty_in_nest',
};

/** `(first point) -> i32`: at a function's entry while entering; 1 if the frame comes back, or must leave again at once. */
export const enterFunction = 'mvvm.enter';
/** `(first, loopsEnd, nestedStart) -> resume - first`: one step of the way to the point `resume`. */
export const steerFunction = 'mvvm.steer';
/** `(first, loopsEnd, nestedStart, countedLoopsEnd)`: the same for regions with loops that count for another gate. */
export const steerByGateFunction = 'mvvm.steer_by_gate';
/** `(point)`: ends the saving of a frame. */
export const leaveFunction = 'mvvm.leave';

/** `()`: ends the way to a landing, which is no point: counting goes on as it was. */
export const landFunction = 'mvvm.land';
/** `()`: lets the frame that has just been saved come back at once, in the function itself. */
export const goOnFunction = 'mvvm.go_on';

/** `(counter, count) -> i32`: the counter without what a scan of memory takes from it, see charge-loops.ts. */
export const chargeFunction = 'mvvm.charge';
/** `(iterations)`: the same on the counter itself, if there were many. */
export const chargeScanFunction = 'mvvm.charge_scan';

/** `(first point, first beyond) -> i32`: whether frames come back and the next is of none of these points. */
export const elsewhereFunction = 'mvvm.elsewhere';
/** `(first point, point)`: a frame cannot leave after all; it and those that have left already come back. */
export const stayFunction = 'mvvm.stay';

export const popFunction = (type: SlotType): string => `mvvm.pop_${type}`;
const pushFunction = (type: SlotType, count: number): string => `mvvm.push_${type}_x${count}`;

const gates: readonly Gate[] = ['budget', 'counted', 'dirty'];

/** Sizes of the groups in which values are pushed: few functions, short code. */
const groupSizes = [8, 4, 2, 1] as const;

/** Names of what the normal path does not use. */
export const slowPath: { readonly globals: ReadonlySet<string>; readonly functions: ReadonlySet<string> } = {
  /** They are zero on it. */
  globals: new Set([globals.unwinding, globals.entering, globals.resume, globals.landing]),
  functions: new Set([
    ...Object.values(fireFunction),
    ...Object.values(fireInNestFunction),
    chargeFunction,
    enterFunction,
    steerFunction,
    steerByGateFunction,
    leaveFunction,
    landFunction,
    goOnFunction,
    ...slotTypes.flatMap((type) => groupSizes.map((count) => pushFunction(type, count))),
  ]),
};

/** Makes the support functions that are used, once each. */
export class Support {
  readonly #module: IrModule;
  readonly #thresholdBits: number;
  readonly #made = new Set<string>();
  readonly #converters = new Set<string>();
  readonly #makers: ReadonlyMap<string, () => void>;

  constructor(module: IrModule, thresholdBits: number) {
    this.#module = module;
    this.#thresholdBits = thresholdBits;
    this.#makers = new Map([
      [fireFunction.budget, () => this.#addFire()],
      [fireFunction.counted, () => this.#addFireCounted()],
      [fireFunction.dirty, () => this.#addFireDirty()],
      [chargeFunction, () => this.#addCharge()],
      [chargeScanFunction, () => this.#addChargeScan()],
      [enterFunction, () => this.#addEnter()],
      [steerFunction, () => this.#addSteer(false)],
      [steerByGateFunction, () => this.#addSteer(true)],
      [leaveFunction, () => this.#addLeave()],
      [landFunction, () => this.#addLand()],
      [goOnFunction, () => this.#addGoOn()],
      [stayFunction, () => this.#addStay()],
      [elsewhereFunction, () => this.#addElsewhere()],
      ...gates.map((gate): [string, () => void] => [fireInNestFunction[gate], () => this.#addFireInNest(gate)]),
      ...gates.map((gate): [string, () => void] => [tickFunction[gate], () => this.#addTick(gate)]),
      ...slotTypes.map((type): [string, () => void] => [popFunction(type), () => this.#addPop(type)]),
      ...slotTypes.flatMap((type) =>
        groupSizes.map((count): [string, () => void] => [pushFunction(type, count), () => this.#addPush(type, count)]),
      ),
    ]);
    this.#addImportsAndGlobals();
  }

  /** The name of a support function, which is made when it is asked for first. */
  use(name: string): string {
    if (!this.#made.has(name)) {
      this.#made.add(name);
      this.#makers.get(name)?.();
    }
    return name;
  }

  /** Calls that push values of one type so that they pop in the order given. */
  makePushes(type: SlotType, values: readonly Expr[]): Expr[] {
    const calls: Expr[] = [];
    for (let at = 0; at < values.length; ) {
      const size = groupSizes.find((candidate) => candidate <= values.length - at) ?? 1;
      calls.push(this.#module.make.call(this.use(pushFunction(type, size)), values.slice(at, at + size)));
      at += size;
    }
    return calls;
  }

  /** A function `() -> results` that calls the function whose frame is next on the stream, one of `candidates`. */
  addReenter(name: string, results: Type, candidates: readonly { info: FunctionInfo; firstPoint: number }[]): void {
    const { make } = this.#module;
    const point = make.tee(0, make.call(importNames.pop, [], i32), i32);
    const sorted = [...candidates].sort((a, b) => b.firstPoint - a.firstPoint);
    const body = [
      make.call(importNames.push, [point]),
      ...sorted.map(({ info, firstPoint }) => {
        const isOfThis = make.eqz(make.lessUnsigned(make.get(0, i32), make.const(firstPoint)));
        return make.if(isOfThis, make.returnAfter(makeCallForFrame(this.#module, info)));
      }),
      make.unreachable(),
    ];
    this.#module.addFunction(name, none, results, [i32], make.functionBody(body));
  }

  #addImportsAndGlobals(): void {
    const module = this.#module;
    const { make } = module;
    const from = (base: string): { module: string; base: string } => ({ module: IMPORT_MODULE, base });
    module.addFunctionImport(importNames.poll, from(imports.poll), makeTupleType([i32, i32]), i32);
    module.addFunctionImport(importNames.push, from(imports.push), i32, none);
    module.addFunctionImport(importNames.pop, from(imports.pop), none, i32);
    const initial: Partial<Record<string, number>> = {
      [globals.counter]: 2 ** this.#thresholdBits,
      [globals.budget]: 1,
    };
    for (const name of Object.values(globals)) module.addGlobal(name, i32, make.const(initial[name] ?? 0));
  }

  /** `budget = poll(point, budget); mvvm.asked = point; return unwinding = (budget == 0)` */
  #addFire(): void {
    const { make } = this.#module;
    const asked = make.call(importNames.poll, [make.get(0, i32), make.globalGet(globals.budget)], i32);
    const body = [
      make.globalSet(globals.budget, asked),
      make.globalSet(globals.asked, make.get(0, i32)),
      make.globalSet(globals.unwinding, make.eqz(make.globalGet(globals.budget))),
      make.return(make.globalGet(globals.unwinding)),
    ];
    this.#module.addFunction(fireFunction.budget, i32, i32, [], make.functionBody(body));
  }

  /** A counted gate opened: start counting anew, and take one off the budget. */
  #addFireCounted(): void {
    const { make } = this.#module;
    const body = [
      make.globalSet(globals.counter, make.const(2 ** this.#thresholdBits)),
      make.globalSet(globals.budget, make.sub(make.globalGet(globals.budget), make.const(1))),
      make.return(make.call(this.use(fireFunction.budget), [make.get(0, i32)], i32)),
    ];
    this.#module.addFunction(fireFunction.counted, i32, i32, [], make.functionBody(body));
  }

  /** `if (--counter) return 0; if (resume) return 1; return fire(point)`, where the counter is the gate's. */
  #addTick(gate: Gate): void {
    const { make } = this.#module;
    const counter = counterOf(gate);
    const body = [
      make.globalSet(counter, make.sub(make.globalGet(counter), make.const(1))),
      make.if(make.globalGet(counter), [make.return(make.const(0))]),
      make.if(make.globalGet(globals.resume), [make.return(make.const(1))]),
      make.return(make.call(this.use(fireFunction[gate]), [make.get(0, i32)], i32)),
    ];
    this.#module.addFunction(tickFunction[gate], i32, i32, [], make.functionBody(body));
  }

  /** `budget = 0 unless counted; return fire(point) ? 0 : counter`, where the counter is the gate's. */
  #addFireInNest(gate: Gate): void {
    const { make } = this.#module;
    const body = [
      // The nest has counted it down to zero in its local.
      ...(gate === 'counted' ? [] : [make.globalSet(globals.budget, make.const(0))]),
      make.if(make.call(this.use(fireFunction[gate]), [make.get(0, i32)], i32), [make.return(make.const(0))]),
      make.return(make.globalGet(counterOf(gate))),
    ];
    this.#module.addFunction(fireInNestFunction[gate], i32, i32, [], make.functionBody(body));
  }

  #addCharge(): void {
    const { make } = this.#module;
    const [counter, count] = [0, 1];
    const left = makeCharged(
      make,
      () => make.get(counter, i32),
      () => make.get(count, i32),
    );
    const body = make.return(left);
    this.#module.addFunction(chargeFunction, makeTupleType([i32, i32]), i32, [], make.functionBody([body]));
  }

  /** `if (few < iterations) counter = charge(counter, iterations)` */
  #addChargeScan(): void {
    const { make } = this.#module;
    const operands = [make.globalGet(globals.counter), make.get(0, i32)];
    const left = make.call(this.use(chargeFunction), operands, i32);
    const isLong = make.lessUnsigned(make.const(uncountedIterations(this.#thresholdBits)), make.get(0, i32));
    const body = [make.if(isLong, [make.globalSet(globals.counter, left)])];
    this.#module.addFunction(chargeScanFunction, i32, none, [], make.functionBody(body));
  }

  /** Nothing changed: do not ask, but look again at the next point - and ask all the same after 2^threshold of them. */
  #addFireDirty(): void {
    const { make } = this.#module;
    const clean = make.eqz64(makeDirtyBits(this.#module));
    const few = make.lessUnsigned(make.globalGet(dirtyGlobals.cleanPoints), make.const(2 ** this.#thresholdBits));
    const skip = [
      make.globalSet(dirtyGlobals.cleanPoints, make.add(make.globalGet(dirtyGlobals.cleanPoints), make.const(1))),
      make.globalSet(globals.budget, make.const(1)),
      make.return(make.const(0)),
    ];
    const body = [
      make.if(make.and(clean, few), skip),
      make.globalSet(dirtyGlobals.cleanPoints, make.const(0)),
      make.return(make.call(this.use(fireFunction.budget), [make.get(0, i32)], i32)),
    ];
    this.#module.addFunction(fireFunction.dirty, i32, i32, [], make.functionBody(body));
  }

  /**
   *     if (entering & 1) { resume = pop() - first; if (--frames == 0) entering &= 2; return 1 }
   *     return fire(first)                                  ;; entries are watched
   */
  #addEnter(): void {
    const { make } = this.#module;
    const index = make.sub(make.call(importNames.pop, [], i32), make.get(0, i32));
    const body = [
      make.if(makeIsRewinding(this.#module), [
        make.globalSet(globals.resume, index),
        make.globalSet(globals.frames, make.sub(make.globalGet(globals.frames), make.const(1))),
        make.if(make.eqz(make.globalGet(globals.frames)), [
          make.globalSet(globals.entering, make.and(make.globalGet(globals.entering), make.const(2))),
        ]),
        make.return(make.const(1)),
      ]),
      make.return(make.call(this.use(fireFunction.budget), [make.get(0, i32)], i32)),
    ];
    this.#module.addFunction(enterFunction, i32, i32, [], make.functionBody(body));
  }

  /**
   *     target = resume
   *     if (target < nestedStart) {            ;; it is in this region: counting goes on as it was
   *       resume = 0
   *       counter = saved_counter + (target is one of the region's counted loops)     ;; whose head counts this passing again
   *       budget = saved_budget + (target is another loop that polls at its head)                   ;; by gate alone
   *     } else {                               ;; it is in a loop of this region: the loop's poll must take its slow path
   *       counter = 1; budget = 1
   *     }
   *     return target - first
   *
   * Point 0, the function's entry, is no loop although the numbers of the outermost region begin there.
   */
  #addSteer(byGate: boolean): void {
    const { make } = this.#module;
    const params = byGate ? [i32, i32, i32, i32] : [i32, i32, i32];
    const local = (index: number) => (): Expr => make.get(index, i32);
    const [first, loopsEnd, nestedStart, target] = [local(0), local(1), local(2), local(params.length)];
    const countedLoopsEnd = byGate ? local(3) : loopsEnd;
    const isLoop = (end: Expr): Expr => make.and(make.lessUnsigned(target(), end), make.notZero(target()));
    const isOtherLoop = make.and(isLoop(loopsEnd()), make.eqz(make.lessUnsigned(target(), countedLoopsEnd())));
    const savedBudget = make.globalGet(globals.savedBudget);
    const body = [
      make.if(
        make.lessUnsigned(make.tee(params.length, make.globalGet(globals.resume), i32), nestedStart()),
        [
          make.globalSet(globals.resume, make.const(0)),
          make.globalSet(globals.counter, make.add(make.globalGet(globals.savedCounter), isLoop(countedLoopsEnd()))),
          make.globalSet(globals.budget, byGate ? make.add(savedBudget, isOtherLoop) : savedBudget),
        ],
        [make.globalSet(globals.counter, make.const(1)), make.globalSet(globals.budget, make.const(1))],
      ),
      make.return(make.sub(target(), first())),
    ];
    const name = byGate ? steerByGateFunction : steerFunction;
    this.#module.addFunction(name, makeTupleType(params), i32, [i32], make.functionBody(body));
  }

  /** `landing = 0; resume = 0; counter = saved_counter; budget = saved_budget` */
  #addLand(): void {
    const { make } = this.#module;
    const body = [
      make.globalSet(globals.landing, make.const(0)),
      make.globalSet(globals.resume, make.const(0)),
      make.globalSet(globals.counter, make.globalGet(globals.savedCounter)),
      make.globalSet(globals.budget, make.globalGet(globals.savedBudget)),
    ];
    this.#module.addFunction(landFunction, none, none, [], make.block(null, body));
  }

  /** `landing = 1; saved_counter = counter; saved_budget = budget; entering |= 1` */
  #addGoOn(): void {
    const { make } = this.#module;
    const body = [
      make.globalSet(globals.landing, make.const(1)),
      make.globalSet(globals.savedCounter, make.globalGet(globals.counter)),
      make.globalSet(globals.savedBudget, make.globalGet(globals.budget)),
      make.globalSet(globals.entering, make.or(make.globalGet(globals.entering), make.const(1))),
    ];
    this.#module.addFunction(goOnFunction, none, none, [], make.block(null, body));
  }

  #addLeave(): void {
    const { make } = this.#module;
    const body = [
      make.call(importNames.push, [make.get(0, i32)]),
      make.globalSet(globals.frames, make.add(make.globalGet(globals.frames), make.const(1))),
    ];
    this.#module.addFunction(leaveFunction, i32, none, [], make.functionBody(body));
  }

  /** `if (!(entering & 1)) return 0; point = pop(); push(point); return !(first <= point && point < end)` */
  #addElsewhere(): void {
    const { make } = this.#module;
    const [first, end, point] = [make.get(0, i32), make.get(1, i32), (): Expr => make.get(2, i32)];
    const isBefore = make.lessUnsigned(make.tee(2, make.call(importNames.pop, [], i32), i32), first);
    const body = [
      make.if(make.eqz(makeIsRewinding(this.#module)), [make.return(make.const(0))]),
      make.set(3, isBefore),
      make.call(importNames.push, [point()]),
      make.return(make.or(make.get(3, i32), make.eqz(make.lessUnsigned(point(), end)))),
    ];
    const params = makeTupleType([i32, i32]);
    this.#module.addFunction(elsewhereFunction, params, i32, [i32, i32], make.functionBody(body));
  }

  /**
   *     unwinding = 0; resume = point - first
   *     saved_counter = counter; saved_budget = stay(point)
   *     if (frames) entering |= 1
   */
  #addStay(): void {
    const { make } = this.#module;
    const [first, point] = [make.get(0, i32), (): Expr => make.get(1, i32)];
    const from = { module: IMPORT_MODULE, base: imports.stay };
    this.#module.addFunctionImport(importNames.stay, from, i32, i32);
    const back = make.or(make.globalGet(globals.entering), make.notZero(make.globalGet(globals.frames)));
    const body = [
      make.globalSet(globals.unwinding, make.const(0)),
      make.globalSet(globals.resume, make.sub(point(), first)),
      make.globalSet(globals.savedCounter, make.globalGet(globals.counter)),
      make.globalSet(globals.savedBudget, make.call(importNames.stay, [point()], i32)),
      make.globalSet(globals.entering, back),
    ];
    this.#module.addFunction(stayFunction, makeTupleType([i32, i32]), none, [], make.block(null, body));
  }

  /** The host's function that finds the word of a reference, or the other way round. */
  #convert(type: ReferenceType, to: 'word' | 'reference'): string {
    const module = this.#module;
    const base =
      to === 'word'
        ? { funcref: imports.funcrefToWord, externref: imports.externrefToWord }[type]
        : { funcref: imports.wordToFuncref, externref: imports.wordToExternref }[type];
    const name = `mvvm.${base}`;
    if (!this.#converters.has(name)) {
      this.#converters.add(name);
      const [params, results] = to === 'word' ? [typeOfSlot[type], i32] : [i32, typeOfSlot[type]];
      module.addFunctionImport(name, { module: IMPORT_MODULE, base }, params, results);
    }
    return name;
  }

  /** Whether references are saved, whose functions the host must know. */
  get savesReferences(): boolean {
    return this.#converters.size > 0;
  }

  #word(type: SlotType, word: number, value: Expr): Expr {
    const { make } = this.#module;
    return isReference(type) ? make.call(this.#convert(type, 'word'), [value], i32) : make.word(type, word, value);
  }

  #addPop(type: SlotType): void {
    const { make } = this.#module;
    if (isReference(type)) {
      const popped = make.call(importNames.pop, [], i32);
      const value = make.call(this.#convert(type, 'reference'), [popped], typeOfSlot[type]);
      this.#module.addFunction(popFunction(type), none, typeOfSlot[type], [], make.return(value));
      return;
    }
    const words = Array.from({ length: wordsOf[type] }, () => make.call(importNames.pop, [], i32));
    this.#module.addFunction(popFunction(type), none, typeOfSlot[type], [], make.return(make.fromWords(type, words)));
  }

  #addPush(type: SlotType, count: number): void {
    const { make } = this.#module;
    const valueType = typeOfSlot[type];
    const pushes: Expr[] = [];
    for (let value = count - 1; value >= 0; value--) {
      for (let word = wordsOf[type] - 1; word >= 0; word--) {
        pushes.push(make.call(importNames.push, [this.#word(type, word, make.get(value, valueType))]));
      }
    }
    const params = makeTupleType(new Array<Type>(count).fill(valueType));
    this.#module.addFunction(pushFunction(type, count), params, none, [], make.block(null, pushes));
  }
}

/** A call for the sake of a frame that comes back: it has its own values for what the parameters were. */
export function makeCallForFrame({ make }: IrModule, { name, params, results }: FunctionInfo): Expr {
  const zeros = typeParts(params).map((type) => make.zero(type));
  return make.call(name, zeros, results);
}
