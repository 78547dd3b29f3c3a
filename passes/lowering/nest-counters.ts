/**
 * Counting in locals: a nest of loops in which no other frame can come on top, and the host does not look at the counters, keeps
 * those of its gates in locals, loaded before the nest and stored wherever control leaves it:
 *
 *     (local.set $counter (global.get $mvvm.counter))
 *     (loop ... (br $outside) ...)     becomes     (loop ... (global.set $mvvm.counter (local.get $counter)) (br $outside) ...)
 *     (global.set $mvvm.counter (local.get $counter))
 *
 * So a count goes on across nests, calls and returns, and a request is answered in a bounded number of iterations.
 */

import type { Expr } from '../ir/binaryen.js';
import type { CallTest } from '../ir/call-graph.js';
import { leaves, makeIfTaken } from '../ir/exits.js';
import { callTarget, childrenOf, globalOf, i32, isConditional, kindOf, none, typeOf } from '../ir/expressions.js';
import type { Maker } from '../ir/make.js';
import type { Gate } from '../ir/marks.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { rewrite, some } from '../ir/walk.js';
import { codeOf, isCallFree, type LoopItem, labelsIn, type Region, regionsIn } from './linear-code.js';
import { chargeFunction, counterOf } from './support-names.js';

/**
 * Whether nobody else counts while a nest of loops does, nor looks at its counters.
 * @param counts whether somebody does during a call
 */
export function canCountInLocals(loop: LoopItem, counts: CallTest): boolean {
  return isCallFree(loop) && !hasCall(loop.body, counts);
}

function hasCall(region: Region, test: CallTest): boolean {
  return region.some(
    (item) => codeOf(item).some((code) => some(code, test)) || regionsIn(item).some((inner) => hasCall(inner, test)),
  );
}

export function makeNestCounters(module: IrModule, fn: FunctionInfo, loop: LoopItem): NestCounters {
  const counters = new Set<string>();
  collectCounters([loop], counters);
  const locals = new Map([...counters].map((name) => [name, module.addLocal(fn, i32)]));
  return new NestCounters(module.make, locals, labelsIn(loop), module.usesExceptions);
}

function collectCounters(region: Region, counters: Set<string>): void {
  for (const item of region) {
    if (item.kind === 'poll') counters.add(counterOf(item.gate));
    if (item.kind !== 'loop') continue;
    if (item.gate !== undefined) counters.add(counterOf(item.gate));
    collectCounters(item.body, counters);
  }
}

export class NestCounters {
  readonly #make: Maker;
  readonly #locals: ReadonlyMap<string, number>;
  readonly #labels: ReadonlySet<string>;
  /** Whether a call may end the nest by an exception. */
  readonly #callsMayThrow: boolean;

  constructor(make: Maker, locals: ReadonlyMap<string, number>, labels: ReadonlySet<string>, callsMayThrow: boolean) {
    this.#callsMayThrow = callsMayThrow;
    this.#make = make;
    this.#locals = locals;
    this.#labels = labels;
  }

  /** The local that counts for a gate inside the nest. */
  local(gate: Gate): number | undefined {
    return this.#locals.get(counterOf(gate));
  }

  /** The same, where the nest counts for no other counter. */
  onlyLocal(gate: Gate): number | undefined {
    return this.#locals.size === 1 ? this.local(gate) : undefined;
  }

  /** Locals from globals. */
  makeReload(): Expr[] {
    return [...this.#locals].map(([name, local]) => this.#make.set(local, this.#make.globalGet(name)));
  }

  /** Globals from locals. */
  makeFlush(): Expr[] {
    return [...this.#locals].map(([name, local]) => this.#make.globalSet(name, this.#make.get(local, i32)));
  }

  /** Makes a statement of the nest count in the locals, and rewrites it so that the globals are right wherever it leaves the nest. */
  adapt(statement: Expr): Expr {
    return rewrite(statement, (expr) => {
      if (this.#leavesNest(expr)) return this.#flushBefore(expr);
      return this.#countInLocal(expr);
    });
  }

  /** What charge-loops.ts takes from a counter. */
  #countInLocal(expr: Expr): Expr {
    const kind = kindOf(expr);
    if (kind !== 'GlobalGet' && kind !== 'GlobalSet') return expr;
    const local = this.#locals.get(globalOf(expr));
    if (local === undefined) return expr;
    const [value] = childrenOf(expr);
    return value === undefined ? this.#make.get(local, i32) : this.#make.set(local, value);
  }

  #leavesNest(expr: Expr): boolean {
    const kind = kindOf(expr);
    const isCall = kind === 'CallIndirect' || (kind === 'Call' && callTarget(expr) !== chargeFunction);
    return leaves(expr, this.#labels) || (isCall && this.#callsMayThrow);
  }

  #flushBefore(exit: Expr): Expr {
    const isConditionalBranch = kindOf(exit) === 'Break' && isConditional(exit) && typeOf(exit) === none;
    if (isConditionalBranch) return makeIfTaken(this.#make, exit, this.makeFlush());
    return this.#make.valueBlock(null, [...this.makeFlush(), exit], typeOf(exit));
  }
}
