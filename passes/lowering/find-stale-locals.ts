/**
 * Finds where locals hold values that nobody needs any more and a frame would save all the same, because one layout serves
 * all points of a function. Saving such a value would keep it alive, in a register or on the engine's stack, from its last
 * use to every point that follows: that is what made loops slow that have nothing to do with those points. So stale locals
 * are set to zero, which costs an optimising compiler nothing:
 *
 *     (local.set $t <...>) <last use of $t> (call $f) <if unwinding, leave>
 *
 * becomes
 *
 *     (local.set $t <...>) <last use of $t> (call $f) (local.set $t (i32.const 0)) <if unwinding, leave>
 *
 * That is worth its bytes in busy code (busy-code.ts): what busy code has left is cleared at the next point, and all that is
 * stale before a busy loop and at busy points. Before a twinned loop (twinned-loops.ts) all is cleared that the loop assigns
 * or that is saved in such loops alone, if nobody needs it at the loop's head: known to be zero or not, because an engine knows
 * constants, and what a frame came back with is none. Elsewhere (and in brief twins) numbers are saved as they are, and the
 * runtime leaves them out of a snapshot; references are cleared everywhere, for one that cannot be saved would be in the way of
 * a checkpoint.
 *
 * Forward over linear code, in one pass. A local is *stale* where it may have been assigned since it was zero and is not
 * live. What is cleared stays clear until it is assigned again. At the head of a loop what its body assigns may have been
 * assigned, but for what is cleared before the loop and where an iteration ends; so one pass over the body is enough.
 *
 * It takes a statement for one step: what is assigned anywhere in it may have been assigned at each of its branches.
 */

import type { Expr, Type } from '../ir/binaryen.js';
import { kindOf, localIndex, none, numberTypes, targetsOf, typeOf, unreachable } from '../ir/expressions.js';
import { LocalSet } from '../ir/local-set.js';
import { walk } from '../ir/walk.js';
import {
  assignedIn,
  type LinearFunction,
  type LoopItem,
  type Point,
  type Region,
  type TryItem,
} from './linear-code.js';
import type { TwinnedLoops } from './twinned-loops.js';

/**
 * Sets `stale` of every point of `fn`, and `staleBefore` and `staleAtEnd` of its loops.
 * @param types those of the function's locals, parameters included
 */
export function findStaleLocals(fn: LinearFunction, types: readonly Type[], twinned: TwinnedLoops): void {
  new StaleLocals(types, fn.isBusy, twinned).visitFunction(fn);
}

class StaleLocals {
  readonly #twinned: TwinnedLoops;
  /** What frames leave with in the code that is being visited. */
  #saved: LocalSet;
  readonly #types: readonly Type[];
  /** What may have been assigned where a branch to this label is taken. */
  readonly #atLabel = new Map<string, LocalSet>();
  /**
   * What may have been assigned since it was zero, of the saved locals, or is taken for that; nothing where control does not
   * come. A local stands for an assignment in code that is not busy, a local plus the number of locals for one in busy code.
   */
  #assigned: LocalSet;
  #isBusy: boolean;

  constructor(types: readonly Type[], isBusy: boolean, twinned: TwinnedLoops) {
    this.#twinned = twinned;
    this.#saved = twinned.outside ?? twinned.saved;
    this.#types = types;
    this.#isBusy = isBusy;
    this.#assigned = this.#none();
  }

  visitFunction({ body, entry }: LinearFunction): void {
    // Parameters have values from the start.
    for (const local of entry.live) this.#assign(local);
    this.#visit(body);
  }

  #none(): LocalSet {
    return new LocalSet(2 * this.#types.length);
  }

  #visit(region: Region): void {
    for (const item of region) {
      switch (item.kind) {
        case 'statement':
          this.#evaluate(item.expr);
          break;
        case 'label':
          this.#assigned.addAll(this.#takeLabel(item.name));
          break;
        case 'poll':
          item.point.stale = this.#clearBut(item.point);
          break;
        case 'call': {
          this.#evaluate(item.call);
          // The result comes before the test whether frames leave.
          if (item.result !== undefined) this.#forget(item.result);
          item.point.stale = this.#clearBut(item.point);
          if (item.result !== undefined) this.#assign(item.result);
          break;
        }
        case 'loop':
          this.#visitLoop(item);
          break;
        case 'try':
          this.#visitTry(item);
          break;
      }
    }
  }

  #visitLoop(loop: LoopItem): void {
    const outer = { isBusy: this.#isBusy, saved: this.#saved };
    const assigned = assignedIn(loop.body);
    if (this.#twinned.items.has(loop)) {
      const { saved, outside = saved } = this.#twinned;
      this.#saved = saved;
      // Nobody has looked after what is not saved around the loop.
      const unknown = [...saved].filter((local) => assigned.has(local) || !outside.has(local));
      for (const local of unknown) this.#assigned.add(local + this.#types.length);
    }
    loop.staleBefore = this.#clearBut(loop);
    this.#isBusy ||= loop.isBusy;
    for (const local of assigned) {
      if (loop.live.has(local) || (this.#mayStay(local) && !loop.isBusy)) this.#assign(local);
    }
    this.#visit(loop.body);
    const after = this.#assigned;
    this.#assigned = this.#takeLabel(loop.name);
    loop.staleAtEnd = this.#clearBut(loop);
    this.#assigned = after;
    this.#isBusy = outer.isBusy;
    this.#saved = outer.saved;
  }

  #visitTry({ body, clauses }: TryItem): void {
    const before = this.#assigned.clone();
    this.#visit(body);
    const after = this.#assigned;
    for (const clause of clauses) {
      this.#assigned = before.clone();
      for (const local of assignedIn(body)) this.#assign(local);
      if (clause.payload !== undefined) this.#assign(clause.payload);
      this.#visit(clause.body);
      after.addAll(this.#assigned);
    }
    this.#assigned = after;
  }

  #evaluate(expr: Expr): void {
    const targets: string[] = [];
    walk(expr, (inner) => {
      const kind = kindOf(inner);
      if (kind === 'LocalSet') this.#assign(localIndex(inner));
      if (kind === 'Break' || kind === 'Switch') targets.push(...targetsOf(inner));
    });
    for (const target of targets) {
      const known = this.#atLabel.get(target);
      if (known === undefined) this.#atLabel.set(target, this.#assigned.clone());
      else known.addAll(this.#assigned);
    }
    if (typeOf(expr) === unreachable) this.#assigned = this.#none();
  }

  #assign(local: number): void {
    if (!this.#saved.has(local)) return;
    this.#assigned.add(this.#isBusy || !this.#mayStay(local) ? local + this.#types.length : local);
  }

  #takeLabel(name: string): LocalSet {
    return this.#atLabel.get(name) ?? this.#none();
  }

  /** What has to be cleared at a point or a loop. */
  #clearBut({ live, isBusy }: Point | LoopItem): number[] {
    const count = this.#types.length;
    const stale = new Set<number>();
    for (const entry of this.#assigned) {
      const local = entry % count;
      if (this.#saved.has(local) && !live.has(local) && (isBusy || entry >= count)) stale.add(local);
    }
    for (const local of stale) this.#forget(local);
    return [...stale];
  }

  #forget(local: number): void {
    this.#assigned.delete(local);
    this.#assigned.delete(local + this.#types.length);
  }

  /** Whether a local may be saved with a stale value, where that costs less than to clear it. */
  #mayStay(local: number): boolean {
    return numberTypes.has(this.#types[local] ?? none);
  }
}
