/** Makes the functions and globals that lowered code uses (support-names.ts), shared by the whole module. */

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
import { makeCharged, makeIfLong, makeTake, makeTakeInPlace } from './charged-counter.js';
import {
  chargeFunction,
  chargeScanFunction,
  chargeShortFunction,
  counterOf,
  dirtyGlobals,
  elsewhereFunction,
  enterFunction,
  fireFunction,
  fireInNestFunction,
  gates,
  globals,
  goOnFunction,
  groupSizes,
  importNames,
  landFunction,
  leaveFunction,
  popFunction,
  pushFunction,
  stayFunction,
  steerByGateFunction,
  steerFunction,
  tickFunction,
} from './support-names.js';

/** Whether frames come back: bit 0 of `entering`. */
export function makeIsRewinding({ make }: IrModule): Expr {
  return make.and(make.globalGet(globals.entering), make.const(1));
}

/** Pages of a memory so large that an address that comes round could go unnoticed: all of it counts as dirty. */
const ALL_DIRTY_PAGES = 65534;

/** The dirty bits, as the host may believe them. */
export function makeDirtyBits(module: IrModule): Expr {
  const { make } = module;
  const bits = make.globalGet(dirtyGlobals.bits, i64);
  if (!module.memories.areThere) return bits;
  return make.select(make.lessUnsigned(make.memorySize(), make.const(ALL_DIRTY_PAGES)), bits, make.const64(-1n));
}

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
      [chargeShortFunction, () => this.#addChargeShort()],
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

  #addChargeScan(): void {
    const { make } = this.#module;
    const take = makeTake(make, this.use(chargeFunction), make.get(0, i32));
    const body = makeIfLong(make, this.#thresholdBits, make.get(0, i32), take);
    this.#module.addFunction(chargeScanFunction, i32, none, [], make.functionBody([body]));
  }

  #addChargeShort(): void {
    const { make } = this.#module;
    const body = makeTakeInPlace(make, () => make.get(0, i32));
    this.#module.addFunction(chargeShortFunction, i32, none, [], make.functionBody([body]));
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
