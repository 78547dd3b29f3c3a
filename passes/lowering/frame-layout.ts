/**
 * The frame of a function: which values are saved when it leaves, in which order.
 *
 * All points of a function share one layout, the union of what is live at any of them or at a landing; what is dead at the
 * point in question has been cleared where that costs less than to save it (find-stale-locals.ts). So a function needs one
 * place that saves and one that restores, however many points it has. Or two that save, where twinned loops need much that
 * is not needed around them (twinned-loops.ts).
 *
 *     pop order:   point number | i32 slots | i64 | f32 | f64 | v128 | slots of locals that hold tuples, part by part
 *
 * A local with an exception is one that holds a tuple, see exception-slots.ts.
 */

import { type Slot, type SlotType, slotTypes } from '../../runtime/abi/index.js';
import { refuse, unsupportedSlot } from '../diagnostics.js';
import type { Expr, Type } from '../ir/binaryen.js';
import { exnref, typeName, typeParts } from '../ir/expressions.js';
import type { LocalSet } from '../ir/local-set.js';
import { type Maker, slotTypeOf, typeOfSlot } from '../ir/make.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import type { ExceptionSlots } from './exception-slots.js';
import type { Point } from './linear-code.js';
import type { Support } from './support.js';
import { popFunction } from './support-names.js';

/** A value of a local, or one part of it if it is a tuple. */
interface SavedPart {
  readonly type: Type;
  readonly slots: readonly SlotType[];
  /** Set for an exception: a local for what it is saved as. */
  readonly exception: number | undefined;
}

interface SavedLocal {
  readonly local: number;
  readonly type: Type;
  readonly parts: readonly SavedPart[];
  /** Those of all parts. */
  readonly slots: readonly SlotType[];
}

/** Locals that are needed where a frame leaves or comes back; what holds an exception must be among them. */
export type Wanted = Pick<LocalSet, 'has'>;

export class FrameLayout {
  readonly #locals: readonly SavedLocal[];
  readonly #make: Maker;
  readonly #exceptions: ExceptionSlots;
  /** As the stable map lists them. */
  readonly slots: readonly Slot[];

  /** @param used locals that are needed at any point or landing */
  constructor(module: IrModule, info: FunctionInfo, used: LocalSet, exceptions: ExceptionSlots) {
    const types = module.localTypes(info);
    const describePart = (type: Type): SavedPart => {
      if (type !== exnref) return { type, slots: [slotType(info, type)], exception: undefined };
      return { type, slots: exceptions.parts, exception: module.addLocal(info, exceptions.type) };
    };
    const saved = [...used].map((local): SavedLocal => {
      const type = types[local];
      if (type === undefined) throw new Error(`local ${local} of ${types.length} in function ${info.name}`);
      const parts = typeParts(type).map(describePart);
      return { local, type, parts, slots: parts.flatMap(({ slots }) => slots) };
    });
    this.#make = module.make;
    this.#exceptions = exceptions;
    this.#locals = saved.sort((a, b) => sortKey(a) - sortKey(b) || a.local - b.local);
    this.slots = this.#locals.flatMap(({ local, slots }) => {
      const name = module.localName(info, local);
      return slots.map((type, part) => ({ name: slots.length === 1 ? name : `${name}.${part}`, type }));
    });
  }

  /** Indices of the slots that a point saves. */
  liveSlots(point: Point): number[] {
    let next = 0;
    return this.#locals.flatMap(({ local, slots }) => {
      const first = next;
      next += slots.length;
      return point.live.has(local) ? slots.map((_, slot) => first + slot) : [];
    });
  }

  /**
   * Pushes all slots, in the order that makes them pop as listed; zeros for those that are not `wanted`.
   * @param makeZero makes a short zero of a type
   */
  makeSave(support: Support, wanted: Wanted, makeZero: (type: Type) => Expr): Expr[] {
    const pushes: Expr[] = [];
    let run: { type: SlotType; values: Expr[] } | undefined;
    const flush = (): void => {
      if (run !== undefined) pushes.push(...support.makePushes(run.type, run.values));
      run = undefined;
    };
    for (const { type, value } of this.#values(wanted, makeZero)) {
      if (run?.type !== type) flush();
      run ??= { type, values: [] };
      run.values.push(value);
    }
    flush();
    return [...this.#takeExceptions(), ...pushes.reverse()];
  }

  /** What is pushed, in the order of pops. */
  #values(wanted: Wanted, makeZero: (type: Type) => Expr): { readonly type: SlotType; readonly value: Expr }[] {
    const make = this.#make;
    return this.#locals.flatMap((saved) =>
      saved.parts.flatMap(({ slots, exception }, index) =>
        slots.map((type, slot) => {
          if (!wanted.has(saved.local)) return { type, value: makeZero(typeOfSlot[type]) };
          if (exception === undefined) return { type, value: this.#part(saved, index) };
          return { type, value: make.extract(make.get(exception, this.#exceptions.type), slot) };
        }),
      ),
    );
  }

  #part({ local, type, parts }: SavedLocal, index: number): Expr {
    const value = this.#make.get(local, type);
    return parts.length === 1 ? value : this.#make.extract(value, index);
  }

  #takeExceptions(): Expr[] {
    return this.#locals.flatMap((saved) =>
      saved.parts.flatMap(({ exception }, index) =>
        exception === undefined ? [] : [this.#make.set(exception, this.#exceptions.makeTake(this.#part(saved, index)))],
      ),
    );
  }

  /** Pops all slots, those of `wanted` locals into these. The others stay zero, which an engine need not keep. */
  makeRestore(support: Support, wanted: Wanted): Expr[] {
    const make = this.#make;
    const pop = (slot: SlotType): Expr => make.call(support.use(popFunction(slot)), [], typeOfSlot[slot]);
    return this.#locals.flatMap(({ local, slots, parts }) => {
      if (!wanted.has(local)) return slots.map((slot) => make.drop(pop(slot)));
      const values = parts.map(({ slots, exception }) => {
        const popped = slots.map(pop);
        const [only] = popped;
        return exception === undefined && only !== undefined ? only : this.#exceptions.makeMake(popped);
      });
      const [value] = values;
      return make.set(local, values.length === 1 && value !== undefined ? value : make.tuple(values));
    });
  }
}

function slotType(info: FunctionInfo, type: Type): SlotType {
  return slotTypeOf.get(type) ?? refuse(unsupportedSlot(`function ${info.name}`, typeName(type)));
}

/** Plain locals by type, then tuples. */
function sortKey({ slots }: SavedLocal): number {
  const [only] = slots;
  return slots.length === 1 && only !== undefined ? slotTypes.indexOf(only) : slotTypes.length;
}
