/**
 * Finds loops that provably end soon: a stable point in them would be passed a few times and cost more than it is worth.
 *
 *     (if (local.tee $n (i32.and (local.get $count) (i32.const 3)))
 *       (then (loop $L ... (br_if $L (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))
 *
 * has 3 iterations at most. Compilers make such a loop of each that they unroll.
 *
 * Forward over the expression tree, with the ranges of locals that are known (ranges.ts). Where ways meet, what is known on
 * all of them is left. At a loop's head is known what the loop does not assign, and what it adds the same to in each of so
 * many iterations; that makes one pass enough. A branch tells something of the locals that it tests.
 *
 * A loop is short if the range that its counter has on entry bounds its iterations (loop-turns.ts), those of the short loops
 * inside included, and if it calls nothing of the module: calls of calls of short loops would multiply. A scan (scans.ts) that
 * only its test leaves is short as well if its counter may jump over its end, but would come round only when the scan has gone
 * through all of memory: then it traps before.
 */

import type { Expr } from './binaryen.js';
import {
  callTarget,
  childrenOf,
  i32,
  isConditional,
  kindOf,
  labelOf,
  localIndex,
  targetsOf,
  typeParts,
} from './expressions.js';
import { findStep, readLoopCounter } from './loop-counter.js';
import { boundTurns, rangeAtHead, type Turns } from './loop-turns.js';
import type { FunctionInfo, IrModule } from './module.js';
import { learn, type Range, type Ranges, rangeOf, union } from './ranges.js';
import type { Scan } from './scans.js';
import { some, walk } from './walk.js';

const MOST_UNCOUNTED = 64;
/** Uncounted iterations are fewer than counted ones by so many bits: gates that open often stay exact. */
const BITS_BELOW_GATE = 10;
/** So many times more iterations a short loop may have together with the short loops inside. */
const MOST_INSIDE = 16;

/** Bytes. A scan may never leave a larger one, and dirty bits count as set in it. */
const LARGEST_MEMORY = 65_533 * 2 ** 16;

/** Locals of which something is known at a time; older knowledge is forgotten. */
const MOST_KNOWN = 64;

/** Iterations that a counted gate need not see, of a short loop or behind the first of a short run; 0 when it must see all. */
export function uncountedIterations(thresholdBits: number): number {
  return thresholdBits <= BITS_BELOW_GATE ? 0 : Math.min(MOST_UNCOUNTED, 2 ** (thresholdBits - BITS_BELOW_GATE));
}

/** A loop that ends soon. */
export interface ShortLoop {
  /** At most. */
  readonly iterations: number;
  /** Expressions that it evaluates at most, in all iterations; 0 inside of another such loop, which has them among its own. */
  work: number;
}

/**
 * @param most iterations of a loop
 * @param counted scans that only their test leaves
 * @param uncounted other scans, which have no counted point
 * @returns the loops of a function that are known to end so soon, and call nothing of the module
 */
export function findShortLoops(
  module: IrModule,
  fn: FunctionInfo,
  most: number,
  counted: ReadonlyMap<Expr, Scan>,
  uncounted: ReadonlyMap<Expr, unknown>,
): ReadonlyMap<Expr, ShortLoop> {
  const body = module.body(fn);
  if (!some(body, (expr) => kindOf(expr) === 'Loop')) return new Map();
  const types = module.localTypes(fn);
  const variables = types.map((_, local) => local).slice(typeParts(fn.params).length);
  const zeros = variables.filter((local) => types[local] === i32);
  const finder = new ShortLoops(most, (name) => module.isImported(name), zeros, counted, uncounted);
  finder.visit(body);
  return new Map(finder.found);
}

class ShortLoops {
  readonly found: [loop: Expr, ShortLoop][] = [];
  readonly #most: number;
  /** What is known where control is; undefined where it does not come. */
  #known: Map<number, Range> | undefined = new Map();
  /** What is known where all the branches to a label are taken. */
  readonly #atLabel = new Map<string, Map<number, Range>>();
  /** Iterations of the short loops that the present loop has inside; infinitely many if it calls, or scans without a point. */
  #inside = 0;
  /** Expressions visited so far, those of short loops as often as they are evaluated at most. */
  #work = 0;

  readonly #isImported: (name: string) => boolean;
  readonly #counted: ReadonlyMap<Expr, Scan>;
  readonly #uncounted: ReadonlyMap<Expr, unknown>;

  /**
   * @param isImported whether a function is, by its name
   * @param zeros locals that are zero at first
   * @param counted scans that only their test leaves
   * @param uncounted other scans, which have no point
   */
  constructor(
    most: number,
    isImported: (name: string) => boolean,
    zeros: readonly number[],
    counted: ReadonlyMap<Expr, Scan>,
    uncounted: ReadonlyMap<Expr, unknown>,
  ) {
    this.#counted = counted;
    this.#uncounted = uncounted;
    this.#most = most;
    this.#isImported = isImported;
    for (const local of zeros.slice(0, MOST_KNOWN)) this.#known?.set(local, { least: 0, most: 0 });
  }

  visit(expr: Expr): Range | undefined {
    this.#work += 1;
    switch (kindOf(expr)) {
      case 'Block':
        this.#visitChildren(expr);
        this.#meet(this.#atLabel.get(labelOf(expr) ?? ''));
        return undefined;
      case 'Loop':
        this.#visitLoop(expr);
        return undefined;
      case 'If':
        this.#visitIf(expr);
        return undefined;
      case 'Try':
        this.#visitTry(expr);
        return undefined;
      case 'Break':
        this.#visitBreak(expr);
        return undefined;
      case 'Switch':
        this.#visitChildren(expr);
        for (const label of targetsOf(expr)) this.#branch(label);
        this.#known = undefined;
        return undefined;
      case 'Call':
      case 'CallIndirect':
        this.#visitChildren(expr);
        if (!this.#isImport(expr)) this.#inside = Number.POSITIVE_INFINITY;
        return undefined;
      case 'Return':
      case 'Unreachable':
      case 'Throw':
      case 'Rethrow':
        this.#visitChildren(expr);
        this.#known = undefined;
        return undefined;
      default: {
        const range = this.#visitChildren(expr);
        if (kindOf(expr) === 'LocalSet') this.#assign(localIndex(expr), range);
        return range;
      }
    }
  }

  #visitChildren(expr: Expr): Range | undefined {
    const ranges = childrenOf(expr).map((child) => this.visit(child));
    return this.#known && rangeOf(expr, this.#known, ranges);
  }

  #visitLoop(loop: Expr): void {
    const counter = readLoopCounter(labelOf(loop) ?? '', childrenOf(loop));
    const turns = counter && this.#known && boundTurns(counter, this.#known);
    const iterations = labelOf(loop) === undefined ? 1 : turns && this.#boundIterations(loop, turns);
    const outside = this.#inside;
    const before = { work: this.#work, found: this.found.length };
    this.#inside = 0;
    this.#enterLoop(loop, turns);
    this.#visitChildren(loop);
    const inAll = (iterations ?? Number.POSITIVE_INFINITY) * (1 + this.#inside);
    const isShort = iterations !== undefined && iterations <= this.#most && inAll <= this.#most * MOST_INSIDE;
    if (isShort) {
      const work = iterations * (this.#work - before.work);
      this.#work = before.work + work;
      for (const [, inner] of this.found.slice(before.found)) inner.work = 0;
      this.found.push([loop, { iterations, work }]);
    }
    // A loop that is counted does not add to what goes uncounted, unless by its calls.
    const uncounted = this.#uncounted.has(loop) ? Number.POSITIVE_INFINITY : 0;
    this.#inside = outside + (Number.isFinite(this.#inside) ? (isShort ? inAll : uncounted) : this.#inside);
  }

  /** A counted scan traps at the end of memory before its counter comes round, if one cursor goes all that way alone. */
  #boundIterations(loop: Expr, { most, otherwise }: Turns): number | undefined {
    if (otherwise === undefined) return most;
    const scan = this.#counted.get(loop);
    const [measure] = scan?.measures ?? [];
    return measure?.cursors.length === 1 && otherwise * measure.leastStep >= LARGEST_MEMORY ? most : undefined;
  }

  #isImport(call: Expr): boolean {
    return kindOf(call) === 'Call' && this.#isImported(callTarget(call));
  }

  #visitIf(expr: Expr): void {
    const [condition, then, otherwise] = childrenOf(expr);
    if (condition === undefined) return;
    this.visit(condition);
    const decided = copy(this.#known);
    this.#learn(condition, true);
    if (then !== undefined) this.visit(then);
    const after = this.#known;
    this.#known = decided;
    this.#learn(condition, false);
    if (otherwise !== undefined) this.visit(otherwise);
    this.#meet(after);
  }

  /** A clause can be reached from anywhere in the body. */
  #visitTry(expr: Expr): void {
    const clauses = childrenOf(expr);
    const body = clauses.pop();
    if (body === undefined) return;
    const before = copy(this.#known);
    this.visit(body);
    for (const clause of clauses) {
      const after = this.#known;
      this.#known = copy(before);
      this.#forgetAssigned(body);
      this.visit(clause);
      this.#meet(after);
    }
  }

  #visitBreak(expr: Expr): void {
    this.#visitChildren(expr);
    const [label = ''] = targetsOf(expr);
    const children = childrenOf(expr);
    const condition = isConditional(expr) ? children[children.length - 1] : undefined;
    const decided = condition === undefined ? undefined : copy(this.#known);
    if (condition !== undefined) this.#learn(condition, true);
    this.#branch(label);
    this.#known = decided;
    if (condition !== undefined) this.#learn(condition, false);
  }

  // --- What is known ---

  #assign(local: number, range: Range | undefined): void {
    const known = this.#known;
    if (known === undefined) return;
    known.delete(local);
    if (range !== undefined) known.set(local, range);
    const [oldest] = known.keys();
    if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
  }

  #learn(condition: Expr, holds: boolean): void {
    const findings = this.#known === undefined ? [] : learn(condition, holds, this.#known);
    for (const { local, range } of findings) this.#assign(local, range);
  }

  /** At a loop's head is known what the loop does not assign, and what it adds the same to in each iteration. */
  #enterLoop(loop: Expr, turns: Turns | undefined): void {
    const before = this.#known;
    this.#known = copy(before);
    this.#forgetAssigned(loop);
    if (before === undefined || turns === undefined || turns.otherwise !== undefined) return;
    const body = childrenOf(loop);
    for (const [local, range] of before) {
      const step = this.#known?.has(local) ? undefined : findStep(body, local);
      if (step !== undefined) this.#assign(local, rangeAtHead(range, step, turns.most));
    }
  }

  #forgetAssigned(code: Expr): void {
    const known = this.#known;
    if (known === undefined) return;
    walk(code, (expr) => {
      if (kindOf(expr) === 'LocalSet') known.delete(localIndex(expr));
    });
  }

  #branch(label: string): void {
    if (this.#known !== undefined) this.#atLabel.set(label, common(this.#known, this.#atLabel.get(label)));
  }

  /** Another way leads here, on which this is known. */
  #meet(other: Ranges | undefined): void {
    if (other !== undefined) this.#known = common(other, this.#known);
  }
}

function copy(known: Ranges | undefined): Map<number, Range> | undefined {
  return known && new Map(known);
}

/** What is known on both of two ways, the second of which there may not be. */
function common(one: Ranges, other: Ranges | undefined): Map<number, Range> {
  if (other === undefined) return new Map(one);
  const known = new Map<number, Range>();
  for (const [local, range] of one) {
    const also = other.get(local);
    const both = also && union(range, also);
    if (both !== undefined) known.set(local, both);
  }
  return known;
}
