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
 * Forward over linear code, in one pass. A local is *stale* where it may have been assigned since it was zero and is not
 * live. Each point clears what is stale there, once: it stays clear until it is assigned again. What flows into the head
 * of a loop and is not live there is cleared before the loop and at the end of each iteration, so all that can be stale
 * inside is what is live at the head; assuming all of it needs no iteration.
 *
 * It takes a statement for one step: what is assigned anywhere in it may have been assigned at each of its branches.
 */

import type { Expr } from '../ir/binaryen.js';
import { kindOf, localIndex, targetsOf, typeOf, unreachable } from '../ir/expressions.js';
import { LocalSet } from '../ir/local-set.js';
import { walk } from '../ir/walk.js';
import { assignedIn, type LinearFunction, type LoopItem, pointsIn, type Region, type TryItem } from './linear-code.js';

/**
 * Sets `stale` of every point of `fn`, and `staleBefore` and `staleAtEnd` of its loops.
 * @param localCount number of the function's locals, parameters included
 */
export function findStaleLocals(fn: LinearFunction, localCount: number): void {
  const saved = new LocalSet(localCount);
  for (const point of [fn.entry, ...pointsIn(fn.body)]) saved.addAll(point.live);
  new StaleLocals(saved, localCount).visitFunction(fn);
}

class StaleLocals {
  readonly #saved: LocalSet;
  readonly #localCount: number;
  /** What may have been assigned where a branch to this label is taken. */
  readonly #atLabel = new Map<string, LocalSet>();
  /** What may have been assigned since it was zero, of the saved locals; nothing where control does not come. */
  #assigned: LocalSet;

  constructor(saved: LocalSet, localCount: number) {
    this.#saved = saved;
    this.#localCount = localCount;
    this.#assigned = this.#none();
  }

  visitFunction({ body, entry }: LinearFunction): void {
    // Parameters have values from the start.
    this.#assigned = entry.live.clone();
    this.#visit(body);
  }

  #none(): LocalSet {
    return new LocalSet(this.#localCount);
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
          item.point.stale = this.#clearBut(item.point.live);
          break;
        case 'call': {
          this.#evaluate(item.call);
          // The result comes before the test whether frames leave.
          if (item.result !== undefined) this.#assigned.delete(item.result);
          item.point.stale = this.#clearBut(item.point.live);
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
    loop.staleBefore = this.#clearBut(loop.live);
    this.#assigned = this.#none();
    for (const local of loop.live) this.#assign(local);
    this.#visit(loop.body);
    const after = this.#assigned;
    this.#assigned = this.#takeLabel(loop.name);
    loop.staleAtEnd = this.#clearBut(loop.live);
    this.#assigned = after;
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
    if (this.#saved.has(local)) this.#assigned.add(local);
  }

  #takeLabel(name: string): LocalSet {
    return this.#atLabel.get(name) ?? this.#none();
  }

  /** What has to be cleared where only `live` is needed. */
  #clearBut(live: LocalSet): number[] {
    const stale = [...this.#assigned].filter((local) => !live.has(local));
    for (const local of stale) this.#assigned.delete(local);
    return stale;
  }
}
