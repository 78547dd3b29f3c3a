/**
 * Makes the stores of one function mark what they change: which need a mark of their own, where the marks of the others
 * go, and what has to be done before a poll asks the host.
 *
 * A store is marked by the cheapest of these:
 * - not at all, where an address within reach has been marked since the last stable point (knowledge.ts)
 * - behind the loop it is in, together with all iterations (loop-ranges.ts)
 * - by itself
 *
 * Gathering marks in a local that goes to the global at exits was tried, and made programs slower that call much.
 *
 * The mark comes behind the store with no stable point between: before it, a checkpoint taken while the stored value is
 * computed would clear the bit too early.
 */

import type { Expr } from '../ir/binaryen.js';
import {
  childrenOf,
  i32,
  isConditional,
  isTailCall,
  kindOf,
  labelOf,
  localIndex,
  none,
  setChild,
  targetsOf,
  typeOf,
  unreachable,
} from '../ir/expressions.js';
import { boundIterations } from '../ir/loop-bounds.js';
import { readMark } from '../ir/marks.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { some } from '../ir/walk.js';
import { accessOffset, WIDEST, writesPlace, writesRange } from './accesses.js';
import { canRunAtExits, runAtExits } from './exits.js';
import { Knowledge } from './knowledge.js';
import { findLoopRanges, type LoopRanges, type StoreGroup } from './loop-ranges.js';
import { REACH, type Regions } from './regions.js';
import { makeSum, plus, sumOf } from './sums.js';

/** What a poll has to do before it asks the host, so that the dirty bits in the global are complete. */
export interface PendingMarks {
  /** @param loops the loops around the poll, outermost first */
  makeFlush(loops: readonly string[]): Expr[];
}

export interface Surroundings {
  readonly module: IrModule;
  readonly regions: Regions;
  /** Whether a frame can leave during a call; marks of points are none. */
  readonly mayStop: (call: Expr) => boolean;
  /** Whether what a call throws can be caught in this module. */
  readonly catches: boolean;
}

export function markStores(fn: FunctionInfo, surroundings: Surroundings): PendingMarks {
  const stores = new StoreMarker(fn, surroundings);
  stores.run();
  return stores;
}

/** Loops that have up to so many iterations are likely to stay within reach of one mark. */
const MOST_ITERATIONS = 64;

class StoreMarker implements PendingMarks {
  readonly #fn: FunctionInfo;
  readonly #module: IrModule;
  readonly #regions: Regions;
  readonly #mayStop: (call: Expr) => boolean;
  readonly #catches: boolean;
  /** That loops have had at most when they are left. */
  readonly #iterations: ReadonlyMap<Expr, number>;
  readonly #covered = new Set<Expr>();
  readonly #rangesOf = new Map<string, () => Expr[]>();
  /** Undefined where control does not get to. */
  #knowledge: Knowledge | undefined = new Knowledge();
  readonly #atLabel = new Map<string, Knowledge | undefined>();

  constructor(fn: FunctionInfo, { module, regions, mayStop, catches }: Surroundings) {
    this.#fn = fn;
    this.#module = module;
    this.#regions = regions;
    this.#mayStop = mayStop;
    this.#catches = catches;
    this.#iterations = boundIterations(module, fn, MOST_ITERATIONS);
  }

  run(): void {
    this.#module.setBody(this.#fn, this.#visit(this.#module.body(this.#fn)));
  }

  makeFlush(loops: readonly string[]): Expr[] {
    return loops.flatMap((loop) => this.#rangesOf.get(loop)?.() ?? []);
  }

  /** `expr`, then more where control gets to its end; its value is that of `expr`. */
  #follow(expr: Expr, more: readonly Expr[]): Expr[] {
    const { make } = this.#module;
    const type = typeOf(expr);
    if (type === unreachable) return [expr];
    if (type === none) return [expr, ...more];
    const value = this.#module.addLocal(this.#fn, type);
    return [make.set(value, expr), ...more, make.get(value, type)];
  }

  #sequence(expr: Expr, more: readonly Expr[]): Expr {
    return this.#module.make.valueBlock(null, this.#follow(expr, more), typeOf(expr));
  }

  // --- Through the code, in the order of evaluation ---

  #visit(expr: Expr): Expr {
    switch (kindOf(expr)) {
      case 'Block':
        return this.#visitBlock(expr);
      case 'If':
        return this.#visitIf(expr);
      case 'Loop':
        return this.#visitLoop(expr);
      case 'Try':
        return this.#visitTry(expr);
      case 'LocalSet': {
        const [value] = this.#visitChildren(expr);
        const known = this.#known();
        known.assign(localIndex(expr), value === undefined ? undefined : sumOf(value, known.sumIn));
        return expr;
      }
      case 'Break':
      case 'Switch':
        this.#visitChildren(expr);
        for (const label of targetsOf(expr)) this.#reach(label);
        if (kindOf(expr) === 'Switch' || !isConditional(expr)) this.#knowledge = undefined;
        return expr;
      case 'Return':
      case 'Unreachable':
      case 'Throw':
      case 'Rethrow':
        this.#visitChildren(expr);
        this.#knowledge = undefined;
        return expr;
      case 'Call':
      case 'CallIndirect':
        this.#visitChildren(expr);
        if (readMark(expr) !== undefined || this.#mayStop(expr)) this.#known().passPoint();
        if (isTailCall(expr)) this.#knowledge = undefined;
        return expr;
      default:
        if (writesPlace(expr)) return this.#visitStore(expr);
        if (writesRange(expr)) return this.#visitRangeWrite(expr);
        this.#visitChildren(expr);
        return expr;
    }
  }

  #visitChildren(expr: Expr): Expr[] {
    return childrenOf(expr).map((child, index) => this.#visitChild(expr, child, index));
  }

  #visitChild(expr: Expr, child: Expr, index: number): Expr {
    const now = this.#visit(child);
    if (now !== child) setChild(expr, index, now);
    return now;
  }

  #known(): Knowledge {
    this.#knowledge ??= new Knowledge();
    return this.#knowledge;
  }

  /** Control may get from here to a label. Those of loops see nothing of it: they begin knowing nothing. */
  #reach(label: string): void {
    const here = this.#known();
    const there = this.#atLabel.get(label);
    this.#atLabel.set(label, there === undefined ? here.clone() : there.meet(here));
  }

  #visitBlock(block: Expr): Expr {
    const label = labelOf(block);
    if (label !== undefined) this.#atLabel.delete(label);
    this.#visitChildren(block);
    if (label !== undefined) this.#knowledge = meet(this.#knowledge, this.#atLabel.get(label));
    return block;
  }

  #visitIf(expr: Expr): Expr {
    const [condition, then, otherwise] = childrenOf(expr);
    if (condition === undefined || then === undefined) throw new Error('an if has a condition and an arm');
    this.#visitChild(expr, condition, 0);
    const before = this.#known().clone();
    this.#visitChild(expr, then, 1);
    const afterThen = this.#knowledge;
    this.#knowledge = before;
    if (otherwise !== undefined) this.#visitChild(expr, otherwise, 2);
    this.#knowledge = meet(afterThen, this.#knowledge);
    return expr;
  }

  #visitTry(expr: Expr): Expr {
    for (const [index, child] of childrenOf(expr).entries()) {
      this.#knowledge = new Knowledge();
      this.#visitChild(expr, child, index);
    }
    this.#knowledge = new Knowledge();
    return expr;
  }

  // --- Loops ---

  #visitLoop(loop: Expr): Expr {
    const label = labelOf(loop);
    const ranges =
      label !== undefined && this.#canRunBehind(loop)
        ? findLoopRanges(loop, this.#mayStop, this.#iterations.get(loop))
        : undefined;
    for (const store of ranges?.stores ?? []) this.#covered.add(store);
    this.#knowledge = new Knowledge();
    this.#visitChildren(loop);
    return ranges === undefined || label === undefined ? loop : this.#markRanges(loop, label, ranges);
  }

  /** Whether code can be put behind a loop that runs however the loop is left. */
  #canRunBehind(loop: Expr): boolean {
    const mayThrow = (expr: Expr): boolean => kindOf(expr) === 'Call' || kindOf(expr) === 'CallIndirect';
    return canRunAtExits(loop) && !(this.#catches && some(loop, (expr) => mayThrow(expr) && !readMark(expr)));
  }

  #markRanges(loop: Expr, label: string, { groups }: LoopRanges): Expr {
    const { make } = this.#module;
    const starts = new Map(
      groups.flatMap((group) => (group.moves === 'not' ? [] : [[group, this.#module.addLocal(this.#fn, i32)]])),
    );
    // Before the function gets a twin, which makes marks, too.
    if (starts.size > 0) this.#now ??= this.#module.addLocal(this.#fn, i32);
    const makeMarks = (isLeft: boolean): Expr[] =>
      groups.flatMap((group) => {
        const start = starts.get(group);
        return isLeft && group.staysInReach ? [this.#markLowest(group, start)] : this.#markSoFar(group, start);
      });
    this.#rangesOf.set(label, () => makeMarks(false));
    const makeEnd = (): Expr[] => makeMarks(true);
    const prelude = [...starts].map(([group, start]) => make.set(start, makeSum(make, group.least)));
    const flushed = runAtExits(this.#module, this.#fn, loop, makeEnd);
    const code = this.#follow(flushed, makeEnd());
    return make.valueBlock(null, [...prelude, ...code], typeOf(flushed));
  }

  /** Marks what a group has written by its lowest address: where it began if addresses rise, else where it is. */
  #markLowest({ least, moves }: StoreGroup, start: number | undefined): Expr {
    const { make } = this.#module;
    return this.#regions.makeMark(moves === 'up' && start !== undefined ? make.get(start, i32) : makeSum(make, least));
  }

  /** Marks from where a group's addresses began to where they are; the next range begins here. */
  #markSoFar({ least, moves }: StoreGroup, start: number | undefined): Expr[] {
    const { make } = this.#module;
    if (start === undefined) return [this.#regions.makeMark(makeSum(make, least))];
    const now = this.#now;
    if (now === undefined) throw new Error('a range that moves needs a local');
    const [first, last] = moves === 'up' ? [start, now] : [now, start];
    return [
      make.set(now, makeSum(make, least)),
      this.#regions.makeMarkBetween(first, last),
      make.set(start, make.get(now, i32)),
    ];
  }

  /** Scratch, never live across a point. */
  #now: number | undefined;

  // --- Stores ---

  #visitStore(store: Expr): Expr {
    const { make } = this.#module;
    const [pointer, ...others] = childrenOf(store);
    if (pointer === undefined) throw new Error('a store has an address');
    const kept = this.#visitChild(store, pointer, 0);
    const address = sumOf(kept, this.#known().sumIn);
    for (const [index, other] of others.entries()) this.#visitChild(store, other, index + 1);
    if (this.#covered.has(store)) return store;

    // What is known about the address holds still if no operand behind it has assigned what it is made of.
    const assigns = (local: number): boolean =>
      others.some((other) => some(other, (expr) => kindOf(expr) === 'LocalSet' && localIndex(expr) === local));
    const offset = accessOffset(store) ?? 0;
    const isFixed = address !== undefined && ![...address.terms.keys()].some(assigns);
    const place = isFixed ? plus(address, { constant: offset | 0, terms: new Map() }, 1) : undefined;
    if (place !== undefined && this.#known().covers(place)) return store;

    // A small offset is within reach of the pointer's own mark, which saves adding it.
    const added = offset + WIDEST <= REACH ? 0 : offset;
    if (isFixed) {
      const marked = plus(address, { constant: added | 0, terms: new Map() }, 1);
      if (marked !== undefined) this.#known().mark(marked);
    }
    const local = readableLocal(kept);
    const pointerLocal = local !== undefined && !assigns(local) ? local : this.#keepOperand(store, 0);
    const at = make.get(pointerLocal, i32);
    const mark = this.#regions.makeMark(added === 0 ? at : make.add(at, make.const(added | 0)));
    return this.#sequence(store, [mark]);
  }

  #visitRangeWrite(expr: Expr): Expr {
    const { make } = this.#module;
    this.#visitChildren(expr);
    const [address, , length] = [0, 1, 2].map((index) => this.#keepOperand(expr, index));
    if (address === undefined || length === undefined) throw new Error('a bulk operation has three operands');
    return this.#sequence(expr, [this.#regions.makeMarkRange(make.get(address, i32), make.get(length, i32))]);
  }

  /** Keeps an operand's value (an i32) in a local while the operation uses it. */
  #keepOperand(expr: Expr, index: number): number {
    const operand = childrenOf(expr)[index];
    if (operand === undefined) throw new Error(`${kindOf(expr)} has no operand ${index}`);
    const local = this.#module.addLocal(this.#fn, i32);
    setChild(expr, index, this.#module.make.tee(local, operand, i32));
    return local;
  }
}

/** The local that holds an expression's value once that was evaluated. */
function readableLocal(expr: Expr): number | undefined {
  return kindOf(expr) === 'LocalGet' || kindOf(expr) === 'LocalSet' ? localIndex(expr) : undefined;
}

function meet(one: Knowledge | undefined, other: Knowledge | undefined): Knowledge | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one.meet(other);
}
