/**
 * Stores of an innermost loop that need no mark of their own, because where they write is known when the loop is left:
 *
 *     (loop $L (i32.store offset=8 (local.get $p) ...) (local.set $p (i32.add (local.get $p) (i32.const 4))) ...)
 *
 * writes between `$p` as it is at the begin and `$p` as it is at the end. That holds for addresses that are sums
 * (sums.ts) of locals that the loop does not assign and of *steppers*: locals to which it does nothing but add constants
 * of one sign. The range is marked behind the loop, wherever it is left, and before a poll of the loop asks the host.
 *
 * Where the loop is known to have so few iterations that a mark of the lowest address reaches all of them (regions.ts), that alone
 * is marked when it is left: what the address was at the begin if it rises, else what it is. That may lie before zero, or be
 * nowhere in memory, and is right all the same, since marks reach over the end of the numbers.
 *
 * Addresses are counted modulo 2^32, and a range is only what it seems if they do not come round. A sum whose access is
 * made in every iteration does not, since the access would trap before; the bound that this sets to a stepper also holds
 * for other sums. What could come round still is an address in a memory of (nearly) 4 GiB, for which the module
 * says that everything is dirty (dirty-bits.ts).
 *
 * A poll may ask the host only where an iteration begins: in the middle of one, a store may be yet to come whose address is
 * made of what a stepper was before.
 *
 * One scan in the order of evaluation knows what the other locals hold: what was assigned on the way, forgotten at the end
 * of whatever need not have been executed.
 */

import type { Expr } from '../ir/binaryen.js';
import { childrenOf, isTailCall, kindOf, labelOf, localIndex, targetsOf } from '../ir/expressions.js';
import { headMark, readMark } from '../ir/marks.js';
import { accessOffset, WIDEST, writesPlace } from './accesses.js';
import { REACH } from './regions.js';
import { keyOf, plus, type Sum, sumOf } from './sums.js';

/** Addresses of several stores that differ by constants, the least of them: the others are within reach of its mark. */
export interface StoreGroup {
  readonly least: Sum;
  /** Whether the addresses rise or fall from iteration to iteration, or stay. */
  readonly moves: 'up' | 'down' | 'not';
  /** Whether all that the loop has written when it is left is within reach of a mark of the lowest address. */
  readonly staysInReach: boolean;
}

export interface LoopRanges {
  readonly stores: ReadonlySet<Expr>;
  readonly groups: readonly StoreGroup[];
}

/** Bytes. Less than what is missing to 4 GiB in the largest memory of which the module says what is dirty. */
const LARGEST_STEP = 2 ** 16;
/** More would need more locals in the loop than engines have registers. */
const MOST_MOVING = 4;

/**
 * @param mayStop whether a call can be left for a checkpoint
 * @param iterations that the loop has had at most when it is left
 * @returns undefined for a loop in which no store can be treated like this
 */
export function findLoopRanges(
  loop: Expr,
  mayStop: (call: Expr) => boolean,
  iterations: number = Number.POSITIVE_INFINITY,
): LoopRanges | undefined {
  const [body] = childrenOf(loop);
  const label = labelOf(loop);
  if (body === undefined || label === undefined) return undefined;
  const first = new LoopScan(label, mayStop, new Map());
  if (!first.scan(body) || first.marks > (headMark(body) === undefined ? 0 : 1)) return undefined;
  const second = new LoopScan(label, mayStop, first.findSteppers());
  second.scan(body);
  return chooseGroups(second, iterations);
}

/** Locals that only ever grow or only ever shrink in a loop, and by how much in an iteration at most. */
type Steppers = ReadonlyMap<number, number>;

interface Access {
  readonly expr: Expr;
  readonly sum: Sum;
  /** Made in every iteration that is completed. */
  readonly isCertain: boolean;
}

class LoopScan {
  readonly accesses: Access[] = [];
  /** How many stable points there are, calls aside. */
  marks = 0;
  readonly #loop: string;
  readonly #mayStop: (call: Expr) => boolean;
  readonly #steppers: Steppers;
  readonly #known = new Map<number, Sum>();
  /** What is added to locals that the loop assigns; undefined for those that are assigned something else. */
  readonly #steps = new Map<number, readonly number[] | undefined>();
  /** Locals in the order of their assignments. */
  readonly #log: number[] = [];
  readonly #openBlocks = new Set<string>();
  /** Labels that a branch may have gone to: what follows, up to the block's end, need not be executed. */
  readonly #branchedTo = new Set<string>();
  #armDepth = 0;

  /** @param steppers their own value says more than what they are known to be the sum of */
  constructor(loop: string, mayStop: (call: Expr) => boolean, steppers: Steppers) {
    this.#loop = loop;
    this.#mayStop = mayStop;
    this.#steppers = steppers;
  }

  findSteppers(): Steppers {
    const found = new Map<number, number>();
    for (const [local, steps] of this.#steps) {
      const signs = new Set(steps?.map(Math.sign));
      if (steps !== undefined && signs.size === 1 && !signs.has(0))
        found.set(
          local,
          steps.reduce((a, b) => a + b),
        );
    }
    return found;
  }

  /** How a sum moves from iteration to iteration; undefined if that cannot be told. */
  movementOf({ terms }: Sum): StoreGroup['moves'] | undefined {
    const signs = new Set<number>();
    for (const [local, by] of terms) {
      const step = this.#steppers.get(local);
      if (step === undefined && this.#steps.has(local)) return undefined;
      if (step === undefined) continue;
      if (Math.abs(step * by) > LARGEST_STEP) return undefined;
      signs.add(Math.sign(step * by));
    }
    if (signs.size === 0) return 'not';
    if (signs.size > 1) return undefined;
    return signs.has(1) ? 'up' : 'down';
  }

  /** Bytes by which an address moves in an iteration, at most. */
  stepOf({ terms }: Sum): number {
    return [...terms].reduce((bytes, [local, by]) => bytes + Math.abs((this.#steppers.get(local) ?? 0) * by), 0);
  }

  /** The steppers in a sum with their factors. */
  steppersIn({ terms }: Sum): [number, number][] {
    return [...terms].filter(([local]) => this.#steppers.has(local));
  }

  /** @returns false if there is something inside that ranges cannot deal with */
  scan(expr: Expr): boolean {
    const children = childrenOf(expr);
    switch (kindOf(expr)) {
      case 'Loop':
      case 'Try':
        return false;
      case 'Block':
        return this.#scanBlock(expr, children);
      case 'If':
        return this.#scanIf(children);
      case 'LocalSet':
        if (!this.#scanAll(children)) return false;
        this.#assign(localIndex(expr), children[0]);
        return true;
      case 'Break':
      case 'Switch':
        if (!this.#scanAll(children)) return false;
        for (const label of targetsOf(expr)) {
          // A branch out of the loop leaves no iteration that goes on without what follows here.
          if (label === this.#loop || this.#openBlocks.has(label)) this.#branchedTo.add(label);
        }
        return true;
      case 'Call':
      case 'CallIndirect':
        if (readMark(expr) !== undefined) this.marks += 1;
        else if (isTailCall(expr) || this.#mayStop(expr)) return false;
        return this.#scanAll(children);
      default:
        return this.#scanAccess(expr, children);
    }
  }

  #scanAll(list: readonly Expr[]): boolean {
    return list.every((expr) => this.scan(expr));
  }

  #scanBlock(block: Expr, children: readonly Expr[]): boolean {
    const label = labelOf(block);
    if (label === undefined) return this.#scanAll(children);
    const before = this.#log.length;
    this.#openBlocks.add(label);
    if (!this.#scanAll(children)) return false;
    this.#openBlocks.delete(label);
    if (this.#branchedTo.delete(label)) this.#forgetSince(before);
    return true;
  }

  #scanIf([condition, ...arms]: readonly Expr[]): boolean {
    if (condition !== undefined && !this.scan(condition)) return false;
    this.#armDepth += 1;
    for (const arm of arms) {
      const before = this.#log.length;
      if (!this.scan(arm)) return false;
      this.#forgetSince(before);
    }
    this.#armDepth -= 1;
    return true;
  }

  #forgetSince(position: number): void {
    for (const local of this.#log.slice(position)) this.#known.delete(local);
  }

  #assign(local: number, value: Expr | undefined): void {
    const sum = value === undefined ? undefined : sumOf(value, (read) => this.#known.get(read));
    this.#log.push(local);
    this.#noteStep(local, sum);
    // The value of a stepper is in its range whenever it was read, so what was made of it stays known when it steps.
    if (!this.#steppers.has(local)) {
      for (const [other, { terms }] of this.#known) if (terms.has(local)) this.#known.delete(other);
    }
    if (sum === undefined || sum.terms.has(local) || this.#steppers.has(local)) this.#known.delete(local);
    else this.#known.set(local, sum);
  }

  #noteStep(local: number, sum: Sum | undefined): void {
    const isStep = sum?.terms.size === 1 && sum.terms.get(local) === 1;
    const steps = this.#steps.has(local) ? this.#steps.get(local) : [];
    this.#steps.set(local, isStep && steps !== undefined ? [...steps, sum.constant] : undefined);
  }

  #scanAccess(expr: Expr, children: readonly Expr[]): boolean {
    const offset = accessOffset(expr);
    const [pointer, ...others] = children;
    if (offset === undefined || pointer === undefined) return this.#scanAll(children);
    if (!this.scan(pointer)) return false;
    // Before the other operands: these may assign what the address is made of.
    const address = sumOf(pointer, (read) => this.#known.get(read));
    const sum = address === undefined ? undefined : plus(address, { constant: offset | 0, terms: new Map() }, 1);
    if (!this.#scanAll(others)) return false;
    const isCertain = this.#armDepth === 0 && this.#branchedTo.size === 0;
    if (sum !== undefined) this.accesses.push({ expr, sum, isCertain });
    return true;
  }
}

function chooseGroups(scan: LoopScan, iterations: number): LoopRanges | undefined {
  const bounds = findBounds(scan);
  const groups: Group[] = [];
  const stores = new Set<Expr>();
  let moving = 0;
  for (const access of scan.accesses) {
    const moves = scan.movementOf(access.sum);
    if (!writesPlace(access.expr) || moves === undefined || !isBounded(scan, access, bounds)) continue;
    const near = groups.find((group) => isNear(group, access));
    if (near === undefined) {
      if (moves !== 'not') moving += 1;
      if (moving > MOST_MOVING) continue;
      groups.push({ key: keyOf(access.sum), least: access, greatest: access.sum.constant, moves });
    } else extend(near, access);
    stores.add(access.expr);
  }
  if (stores.size === 0) return undefined;
  return {
    stores,
    groups: groups.map(({ least: { sum }, greatest, moves }) => {
      const moved = moves === 'not' ? 0 : iterations * scan.stepOf(sum);
      return { least: sum, moves, staysInReach: moved + greatest - sum.constant + WIDEST <= REACH };
    }),
  };
}

interface Group {
  readonly key: string;
  least: Access;
  greatest: number;
  readonly moves: StoreGroup['moves'];
}

/** Whether one mark can do for a group and one more store. The least address must be one that is really accessed. */
function isNear(group: Group, { sum, isCertain }: Access): boolean {
  if (keyOf(sum) !== group.key) return false;
  const least = Math.min(group.least.sum.constant, sum.constant);
  const isCertainLeast = least === group.least.sum.constant ? group.least.isCertain : isCertain;
  const isSame = sum.constant === group.least.sum.constant && sum.constant === group.greatest;
  return isSame || (isCertainLeast && Math.max(group.greatest, sum.constant) + WIDEST - least <= REACH);
}

function extend(group: Group, access: Access): void {
  if (access.sum.constant < group.least.sum.constant) group.least = access;
  group.greatest = Math.max(group.greatest, access.sum.constant);
}

/**
 * For each stepper the largest factor with which it is certain not to come round: that of an access made in every
 * iteration whose address has no other stepper in it.
 */
function findBounds(scan: LoopScan): ReadonlyMap<number, number> {
  const bounds = new Map<number, number>();
  for (const { sum, isCertain } of scan.accesses) {
    const [only, ...others] = scan.steppersIn(sum);
    if (!isCertain || only === undefined || others.length > 0 || scan.movementOf(sum) === undefined) continue;
    const [local, by] = only;
    bounds.set(local, Math.max(bounds.get(local) ?? 0, Math.abs(by)));
  }
  return bounds;
}

function isBounded(scan: LoopScan, { sum, isCertain }: Access, bounds: ReadonlyMap<number, number>): boolean {
  const steppers = scan.steppersIn(sum);
  const [only, ...others] = steppers;
  if (isCertain || only === undefined) return true;
  const [local, by] = only;
  return others.length === 0 && Math.abs(by) <= (bounds.get(local) ?? 0);
}
