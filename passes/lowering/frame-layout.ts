/**
 * The frame of a function: which values are saved when it leaves, in which order.
 *
 * All points of a function share one layout, the union of what is live at any of them; what is dead at the point in
 * question has been cleared (find-stale-locals.ts). So a function needs one place that saves and one that restores,
 * however many points it has.
 *
 *     pop order:   point number | i32 slots | i64 | f32 | f64 | v128 | slots of locals that hold tuples, part by part
 */

import { type Slot, type SlotType, slotTypes } from '../../runtime/abi/index.js';
import { refuse, unsupportedSlot } from '../diagnostics.js';
import type { Expr, Type } from '../ir/binaryen.js';
import { typeName, typeParts } from '../ir/expressions.js';
import { type Maker, slotTypeOf, typeOfSlot } from '../ir/make.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import type { Point } from './linear-code.js';
import { popFunction, type Support } from './support.js';

interface SavedLocal {
  readonly local: number;
  readonly type: Type;
  readonly parts: readonly SlotType[];
}

export class FrameLayout {
  readonly #locals: readonly SavedLocal[];
  readonly #make: Maker;
  /** As the stable map lists them. */
  readonly slots: readonly Slot[];

  constructor(module: IrModule, info: FunctionInfo, points: readonly Point[]) {
    const types = module.localTypes(info);
    const used = new Set(points.flatMap((point) => [...point.live]));
    const saved = [...used].map((local): SavedLocal => {
      const type = types[local];
      if (type === undefined) throw new Error(`local ${local} of ${types.length} in function ${info.name}`);
      return { local, type, parts: typeParts(type).map((part) => slotType(info, part)) };
    });
    this.#make = module.make;
    this.#locals = saved.sort((a, b) => sortKey(a) - sortKey(b) || a.local - b.local);
    this.slots = this.#locals.flatMap(({ local, parts }) => {
      const name = module.localName(info, local);
      return parts.map((type, part) => ({ name: parts.length === 1 ? name : `${name}.${part}`, type }));
    });
  }

  /** Indices of the slots that a point saves. */
  liveSlots(point: Point): number[] {
    let next = 0;
    return this.#locals.flatMap(({ local, parts }) => {
      const first = next;
      next += parts.length;
      return point.live.has(local) ? parts.map((_, part) => first + part) : [];
    });
  }

  /** Pushes all slots, in the order that makes them pop as listed. */
  makeSave(support: Support): Expr[] {
    const make = this.#make;
    const pushes: Expr[] = [];
    let run: { type: SlotType; values: Expr[] } | undefined;
    const flush = (): void => {
      if (run !== undefined) pushes.push(...support.makePushes(run.type, run.values));
      run = undefined;
    };
    for (const { local, type, parts } of this.#locals) {
      for (const [part, slot] of parts.entries()) {
        const value = parts.length === 1 ? make.get(local, type) : make.extract(make.get(local, type), part);
        if (run?.type !== slot) flush();
        run ??= { type: slot, values: [] };
        run.values.push(value);
      }
    }
    flush();
    return pushes.reverse();
  }

  /** Pops all slots into their locals. */
  makeRestore(support: Support): Expr[] {
    const make = this.#make;
    return this.#locals.map(({ local, parts }) => {
      const values = parts.map((part) => make.call(support.use(popFunction(part)), [], typeOfSlot[part]));
      const [value] = values;
      return make.set(local, values.length === 1 && value !== undefined ? value : make.tuple(values));
    });
  }
}

function slotType(info: FunctionInfo, type: Type): SlotType {
  return slotTypeOf.get(type) ?? refuse(unsupportedSlot(`function ${info.name}`, typeName(type)));
}

/** Plain locals by type, then tuples. */
function sortKey({ parts }: SavedLocal): number {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? slotTypes.indexOf(only) : slotTypes.length;
}
