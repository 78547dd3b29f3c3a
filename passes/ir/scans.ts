/**
 * Finds *scans*: loops that go through memory, and so come to an end when the memory does, if not before.
 *
 *     (loop $L                                               ;; to the end of a text
 *       (br_if $L (i32.load8_u (local.tee $p (i32.add (local.get $p) (i32.const 1))))))
 *
 * In each iteration a scan moves a *cursor*, a local that it only ever adds to (or only ever takes from), and reads or writes at
 * an address that moves with it. An address that goes on and on leaves the memory, which traps. (In a memory of all 65,536
 * pages it does not: there a scan that finds nothing comes round, and never ends.) Two cursors will do, of which one moves at
 * least, as when lists are merged.
 *
 * Where a scan counts as a whole (lowering/charge-loops.ts), other locals may tell as well how many iterations it had.
 *
 * Forward over the code of one iteration: what each local is, by what a cursor was at its begin. Every
 * local that the loop assigns is taken for a cursor at first, and those that turn out to be none are left out.
 */

import { api, type Expr } from './binaryen.js';
import {
  binaryOperation,
  childrenOf,
  constantOf,
  i32,
  isConcrete,
  isConditional,
  kindOf,
  labelOf,
  localIndex,
  targetsOf,
  typeOf,
} from './expressions.js';
import { type Range, rangeOf, union } from './ranges.js';
import { hasAtMost, some, walk } from './walk.js';

/** What tells how many iterations there were, by how far cursors have moved. */
export interface Measure {
  readonly cursors: readonly Cursor[];
  /** By so much the cursors move in each iteration, all together, or by more. */
  readonly leastStep: number;
}

export interface Scan {
  /**
   * The first are the cursors that end it. Others are locals that move in each iteration too, and no faster: they do not come
   * round before it ends.
   */
  readonly measures: readonly [Measure, ...Measure[]];
}

export interface Cursor {
  readonly local: number;
  /** 1 for a cursor that is added to, -1 for one that is taken from. */
  readonly direction: 1 | -1;
}

/**
 * A cursor moves by so much at most in an iteration, and an address by so many times that. So from one iteration to the next
 * an address cannot jump over a page, and all that is added to it in {@link LARGEST_BODY} expressions makes no difference.
 */
const LARGEST_STEP = 2 ** 8;
const LARGEST_SCALE = 2 ** 6;
/** So many times its least step a local moves at most that tells how many iterations there were. */
const UNEVEN = 2;
/** So many expressions an iteration has at most: what it does is soon done. */
const LARGEST_BODY = 120;
/** Code of scans is made of these, but for what is ignored: it calls nothing, and each of them is soon done. */
const kinds: ReadonlySet<string> = new Set([
  ...['Block', 'If', 'Break', 'Switch', 'Return', 'Unreachable', 'Nop', 'Drop', 'Select', 'Const', 'Unary', 'Binary'],
  ...['LocalGet', 'LocalSet', 'GlobalGet', 'GlobalSet', 'Load', 'Store'],
]);

/**
 * The scans among the loops of a function.
 * @param ignored whether a call is no part of the program: a mark
 */
export function findScans(body: Expr, ignored: (call: Expr) => boolean = () => false): ReadonlyMap<Expr, Scan> {
  const scans = new Map<Expr, Scan>();
  walk(body, (expr) => {
    const scan = kindOf(expr) === 'Loop' ? readScan(expr, ignored) : undefined;
    if (scan !== undefined) scans.set(expr, scan);
  });
  return scans;
}

function readScan(loop: Expr, ignored: (call: Expr) => boolean): Scan | undefined {
  const label = labelOf(loop);
  const body = childrenOf(loop);
  if (label === undefined || isConcrete(typeOf(loop)) || !hasAtMost(LARGEST_BODY, body)) return undefined;
  if (body.some((expr) => some(expr, (inner) => !kinds.has(kindOf(inner)) && !ignored(inner)))) return undefined;

  const assigned = new Set<number>();
  walk(loop, (expr) => {
    if (kindOf(expr) === 'LocalSet') assigned.add(localIndex(expr));
  });
  const follow = (cursors: ReadonlySet<number>): Iteration => new Iteration(label, body, assigned, cursors);
  const together = followCursors(assigned, follow);
  const measure = findMeasure(together, follow);
  return measure && { measures: [measure, ...together.findOthers(measure)] };
}

/** Leaves out what is no cursor, and then what is none without that. */
function followCursors(
  candidates: ReadonlySet<number>,
  follow: (cursors: ReadonlySet<number>) => Iteration,
): Iteration {
  const iteration = follow(candidates);
  const found = new Set(iteration.cursors.map(({ local }) => local));
  return found.size === candidates.size ? iteration : followCursors(found, follow);
}

function findMeasure(together: Iteration, follow: (cursors: ReadonlySet<number>) => Iteration): Measure | undefined {
  for (const { local } of together.cursors) {
    const { cursors, leastStep } = follow(new Set([local]));
    if (leastStep > 0) return { cursors, leastStep };
  }
  return together.leastStep > 0 ? { cursors: together.cursors, leastStep: 1 } : undefined;
}

/** `scale * (cursor + offset) + base`, for what the cursor was at the iteration's begin. */
interface Linear {
  readonly cursor: number;
  readonly scale: number;
  /** The least and the most that it can be. */
  readonly offset: Range;
  /** Names what is added, which is the same in each iteration, and empty if nothing is; small constants do not count. */
  readonly base: string;
}

/** What is known at a place in the iteration. */
interface State {
  readonly values: Map<number, Linear>;
  /** The addresses that were read or written, as {@link addressName} has them, with their cursors. */
  readonly accessed: Map<string, number>;
  /** By so much one of these has moved at least; 0 if it may be that none has. */
  readonly advanced: number;
}

/** One iteration, in which some locals are taken for cursors. */
class Iteration {
  readonly cursors: readonly Cursor[];
  /** By so much one of the cursors moves at least; 0 if it may be that none does, or if no iteration follows another. */
  readonly leastStep: number;
  readonly #label: string;
  readonly #assigned: ReadonlySet<number>;
  readonly #candidates: Set<number>;
  /** Those that are added to, and those that are taken from. */
  readonly #goUp = new Set<number>();
  readonly #goDown = new Set<number>();
  /** Undefined where control does not come. */
  #state: State | undefined;
  readonly #atLabel = new Map<string, State>();
  /** Where the iteration ends that is followed by another. */
  readonly #ends: State[] = [];

  constructor(label: string, body: readonly Expr[], assigned: ReadonlySet<number>, candidates: ReadonlySet<number>) {
    this.#label = label;
    this.#assigned = assigned;
    this.#candidates = new Set(candidates);
    const values = new Map(
      [...candidates].map((cursor): [number, Linear] => [
        cursor,
        { cursor, scale: 1, offset: { least: 0, most: 0 }, base: '' },
      ]),
    );
    this.#state = { values, accessed: new Map(), advanced: 0 };
    for (const expr of body) this.#visit(expr);
    this.cursors = [...this.#candidates].flatMap((local) => this.#readCursor(local) ?? []);
    this.leastStep = this.#ends.length === 0 ? 0 : Math.min(...this.#ends.map(advanceOf));
  }

  /**
   * Cursors that move in each iteration, no faster than a measure, and not by much more than at least: they tell as well how
   * many iterations there were.
   */
  findOthers({ cursors, leastStep: most }: Measure): Measure[] {
    const alone = cursors.length === 1 ? cursors[0]?.local : undefined;
    return this.cursors.flatMap((cursor): Measure[] => {
      if (cursor.local === alone) return [];
      const moved = this.#ends.flatMap(({ values }) => values.get(cursor.local) ?? []);
      const leastStep = Math.min(...moved.map(leastStepOf));
      const isEven = moved.every((value) => stepOf(value) <= Math.min(most, UNEVEN * leastStep));
      return leastStep > 0 && isEven ? [{ cursors: [cursor], leastStep }] : [];
    });
  }

  #readCursor(local: number): Cursor | undefined {
    const isSlow = this.#ends.every(
      ({ values }) => isOwn(values.get(local), local) && stepOf(values.get(local)) <= LARGEST_STEP,
    );
    if (!isSlow || this.#goUp.has(local) === this.#goDown.has(local)) return undefined;
    return { local, direction: this.#goUp.has(local) ? 1 : -1 };
  }

  #visit(expr: Expr): Linear | undefined {
    switch (kindOf(expr)) {
      case 'Block':
        this.#visitChildren(expr);
        this.#meet(this.#atLabel.get(labelOf(expr) ?? ''));
        return undefined;
      case 'If':
        this.#visitIf(expr);
        return undefined;
      case 'Break':
      case 'Switch':
        this.#visitChildren(expr);
        for (const label of targetsOf(expr)) this.#branch(label);
        if (kindOf(expr) === 'Switch' || !isConditional(expr)) this.#state = undefined;
        return undefined;
      case 'Return':
      case 'Unreachable':
        this.#visitChildren(expr);
        this.#state = undefined;
        return undefined;
      case 'Load':
      case 'Store': {
        const [address] = this.#visitChildren(expr);
        if (address !== undefined) this.#state?.accessed.set(addressName(address), address.cursor);
        return undefined;
      }
      case 'LocalSet': {
        const [value] = this.#visitChildren(expr);
        this.#assign(localIndex(expr), value);
        return value;
      }
      case 'LocalGet':
        return this.#state?.values.get(localIndex(expr));
      case 'Binary':
        return this.#visitBinary(expr);
      default:
        this.#visitChildren(expr);
        return undefined;
    }
  }

  #visitChildren(expr: Expr): (Linear | undefined)[] {
    return childrenOf(expr).map((child) => this.#visit(child));
  }

  #visitIf(expr: Expr): void {
    const [condition, then, otherwise] = childrenOf(expr);
    if (condition === undefined || then === undefined) return;
    this.#visit(condition);
    const before = this.#state && copy(this.#state);
    this.#visit(then);
    const after = this.#state;
    this.#state = before;
    if (otherwise !== undefined) this.#visit(otherwise);
    this.#meet(after);
  }

  #visitBinary(expr: Expr): Linear | undefined {
    const [left, right] = this.#visitChildren(expr);
    const [first, second] = childrenOf(expr);
    if (typeOf(expr) !== i32 || first === undefined || second === undefined) return undefined;
    const constant = kindOf(second) === 'Const' && typeOf(second) === i32 ? constantOf(second) : undefined;
    switch (binaryOperation(expr)) {
      case api.AddInt32:
        if (left !== undefined) return move(left, readRange(second)) ?? add(left, this.#readFixed(second));
        return right && (move(right, readRange(first)) ?? add(right, this.#readFixed(first)));
      case api.SubInt32: {
        const taken = readRange(second);
        const fixed = this.#readFixed(second);
        const moved = left && move(left, taken && { least: -taken.most, most: -taken.least });
        return left && (moved ?? add(left, fixed && `-(${fixed})`));
      }
      case api.ShlInt32:
        return left && constant !== undefined ? multiply(left, 2 ** (constant & 31)) : undefined;
      case api.MulInt32:
        return left && constant !== undefined ? multiply(left, constant) : undefined;
      default:
        return undefined;
    }
  }

  /** Names a value that is the same in each iteration. */
  #readFixed(expr: Expr): string | undefined {
    if (typeOf(expr) !== i32) return undefined;
    if (kindOf(expr) === 'Const') return `${constantOf(expr)}`;
    if (kindOf(expr) === 'LocalGet') return this.#assigned.has(localIndex(expr)) ? undefined : `$${localIndex(expr)}`;
    if (kindOf(expr) !== 'Binary') return undefined;
    const operands = childrenOf(expr).map((operand) => this.#readFixed(operand));
    return operands.includes(undefined) ? undefined : `(${binaryOperation(expr)} ${operands.join(' ')})`;
  }

  #assign(local: number, value: Linear | undefined): void {
    const values = this.#state?.values;
    const before = values?.get(local);
    if (before !== undefined && isOwn(before, local) && isOwn(value, local)) {
      const isMore = value.offset.least > before.offset.least || value.offset.most > before.offset.most;
      const isLess = value.offset.least < before.offset.least || value.offset.most < before.offset.most;
      if (isMore) this.#goUp.add(local);
      if (isLess) this.#goDown.add(local);
    } else {
      // Also where another iteration does not follow: what is counted by a cursor must be right where the loop ends.
      this.#candidates.delete(local);
    }
    if (value === undefined) values?.delete(local);
    else values?.set(local, value);
  }

  #branch(label: string): void {
    const state = this.#state;
    if (state === undefined) return;
    if (label === this.#label) this.#ends.push(copy(state));
    else this.#atLabel.set(label, common(state, this.#atLabel.get(label)));
  }

  /** Another way leads here, on which this is known. */
  #meet(other: State | undefined): void {
    if (other !== undefined) this.#state = common(other, this.#state);
  }
}

/** Whether a value is a local's own, moved by something that is known. */
function isOwn(value: Linear | undefined, local: number): value is Linear {
  return value?.cursor === local && value.scale === 1 && value.base === '';
}

/** By so much a cursor's value has moved, at least; 0 or less if it may be that it has not. */
function leastStepOf({ offset }: Linear): number {
  return Math.max(offset.least, -offset.most);
}

/** By so much a cursor's value has moved, at most. */
function stepOf(value: Linear | undefined): number {
  return value === undefined ? 0 : Math.max(value.offset.most, -value.offset.least);
}

/** What is known of an address, but for the offset: others with the same name are near it. */
function addressName({ cursor, scale, base }: Linear): string {
  return `${cursor} ${scale} ${base}`;
}

/** What is added or taken if it is little: a constant, the outcome of a comparison, or one of two such. */
function readRange(expr: Expr): Range | undefined {
  if (typeOf(expr) !== i32) return undefined;
  if (kindOf(expr) === 'Const') return { least: constantOf(expr), most: constantOf(expr) };
  if (kindOf(expr) !== 'Select') return rangeOf(expr, new Map(), []);
  const [yes, no] = childrenOf(expr).slice(0, 2).map(readRange);
  return yes && no && union(yes, no);
}

/** @returns undefined unless it is by little */
function move(value: Linear, by: Range | undefined): Linear | undefined {
  const { scale, offset, base } = value;
  if (by === undefined || by.least < -LARGEST_STEP || by.most > LARGEST_STEP) return undefined;
  // What an address is moved by in an iteration makes no difference to where it goes.
  if (scale !== 1 || base !== '') return value;
  return { ...value, offset: { least: offset.least + by.least, most: offset.most + by.most } };
}

/** @param name of what is added, if it is the same in each iteration */
function add(value: Linear, name: string | undefined): Linear | undefined {
  return name === undefined ? undefined : { ...value, base: `${value.base}+${name}` };
}

function multiply(value: Linear, factor: number): Linear | undefined {
  const scale = value.scale * factor;
  const isNear = stepOf(value) * scale <= LARGEST_STEP * LARGEST_SCALE;
  if (factor <= 0 || scale > LARGEST_SCALE || !isNear) return undefined;
  return { ...value, scale, base: value.base && `${factor}(${value.base})` };
}

function copy({ values, accessed, advanced }: State): State {
  return { values: new Map(values), accessed: new Map(accessed), advanced };
}

function advanceOf({ values, accessed, advanced }: State): number {
  const steps = [...accessed.values()].map((cursor) => {
    const value = values.get(cursor);
    return isOwn(value, cursor) ? leastStepOf(value) : 0;
  });
  return Math.max(advanced, ...steps);
}

/** What is known on both of two ways, the second of which there may not be. */
function common(one: State, other: State | undefined): State {
  if (other === undefined) return copy(one);
  const values = new Map<number, Linear>();
  for (const [local, value] of one.values) {
    const met = meetValues(value, other.values.get(local));
    if (met !== undefined) values.set(local, met);
  }
  const accessed = new Map([...one.accessed].filter(([address]) => other.accessed.has(address)));
  return { values, accessed, advanced: Math.min(advanceOf(one), advanceOf(other)) };
}

function meetValues(one: Linear, other: Linear | undefined): Linear | undefined {
  if (other === undefined || addressName(one) !== addressName(other)) return undefined;
  const [a, b] = [one.offset, other.offset];
  return { ...one, offset: { least: Math.min(a.least, b.least), most: Math.max(a.most, b.most) } };
}
