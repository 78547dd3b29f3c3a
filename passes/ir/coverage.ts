/**
 * Which cycles have no stable point: the bounded-latency rule. Every loop must pass a point on each way from its head back
 * to it, every recursion at some function's entry.
 *
 * Loops: forward over the expression tree. The state is the depth of the innermost loop (1 = outermost, 0 = none) whose
 * head has certainly been followed by a point: it covers all loops that are open there, so the state becomes their
 * number; where ways meet, the least counts. A branch back to a loop of greater depth than the state shows it uncovered.
 *
 * But a loop's own mark, at its head, covers that loop alone: lowering may poll where an iteration ends that is followed by
 * another (lowering/emit-loop.ts), and who goes through the loop once passes no point then.
 *
 * It takes every branch for possible and every callee without a point at its entry for one that passes none.
 */

import type { Expr } from './binaryen.js';
import { type CallGraph, isFunctionNode } from './call-graph.js';
import { callTarget, childrenOf, isConditional, kindOf, labelOf, targetsOf } from './expressions.js';
import { headMark, readMark } from './marks.js';
import type { FunctionInfo, IrModule } from './module.js';
import { findUncountedLoops } from './uncounted-loops.js';

/** Names of the functions that poll at their entry, on every call. */
export function findEntryPolled(module: IrModule): Set<string> {
  const polled = module.definedFunctions().filter((fn) => headMark(module.body(fn))?.kind === 'entry');
  return new Set(polled.map((fn) => fn.name));
}

/** Loops under `body` with a way back to their head that passes no point. */
export function findUncoveredLoops(body: Expr, entryPolled: ReadonlySet<string>): Expr[] {
  const finder = new UncoveredLoops(entryPolled);
  finder.after(body, 0);
  return [...finder.found];
}

/** The same of a function, without the loops that need no point since they provably end soon. */
export function findUnboundedLoops(
  module: IrModule,
  fn: FunctionInfo,
  entryPolled: ReadonlySet<string>,
  thresholdBits: number,
): Expr[] {
  const uncovered = findUncoveredLoops(module.body(fn), entryPolled);
  if (uncovered.length === 0) return [];
  const uncounted = findUncountedLoops(module, fn, thresholdBits);
  return uncovered.filter((loop) => !uncounted.has(loop));
}

const neverReached = Number.POSITIVE_INFINITY;

class UncoveredLoops {
  readonly found = new Set<Expr>();
  readonly #entryPolled: ReadonlySet<string>;
  /** The least state of the branches to a block's label so far. */
  readonly #blocks = new Map<string, number>();
  /** The loop that a label belongs to, with its depth, unless it has a mark of its own. */
  readonly #loops = new Map<string, { loop: Expr; depth: number }>();
  #depth = 0;

  constructor(entryPolled: ReadonlySet<string>) {
    this.#entryPolled = entryPolled;
  }

  /** The state after `expr`, where `state` was before it. */
  after(expr: Expr, state: number): number {
    switch (kindOf(expr)) {
      case 'Block': {
        const label = labelOf(expr);
        if (label === undefined) return this.#childrenAfter(expr, state);
        this.#blocks.set(label, neverReached);
        const fallen = this.#childrenAfter(expr, state);
        const branched = this.#blocks.get(label) ?? neverReached;
        // A branch may come from inside loops that are not open here.
        return Math.min(fallen, branched === neverReached ? neverReached : Math.min(branched, this.#depth));
      }
      case 'If': {
        const [condition, then, otherwise] = childrenOf(expr);
        const decided = condition === undefined ? state : this.after(condition, state);
        const yes = then === undefined ? decided : this.after(then, decided);
        return Math.min(yes, otherwise === undefined ? decided : this.after(otherwise, decided));
      }
      case 'Loop': {
        const label = labelOf(expr);
        this.#depth += 1;
        if (label !== undefined && !hasOwnMark(expr)) this.#loops.set(label, { loop: expr, depth: this.#depth });
        const fallen = this.#childrenAfter(expr, state);
        this.#depth -= 1;
        return fallen === neverReached ? fallen : Math.min(fallen, this.#depth);
      }
      case 'Break': {
        const reached = this.#childrenAfter(expr, state);
        this.#branch(expr, reached);
        return isConditional(expr) ? reached : neverReached;
      }
      case 'Switch':
        this.#branch(expr, this.#childrenAfter(expr, state));
        return neverReached;
      case 'Return':
      case 'Unreachable':
      case 'Throw':
      case 'Rethrow':
        this.#childrenAfter(expr, state);
        return neverReached;
      case 'Try':
        // A catch can be reached from anywhere in the body, so from before all its points.
        return Math.min(...childrenOf(expr).map((part) => this.after(part, state)));
      case 'Call': {
        const called = this.#childrenAfter(expr, state);
        const mark = readMark(expr);
        const isPoint = mark === undefined ? this.#entryPolled.has(callTarget(expr)) : mark.kind !== 'loop';
        return isPoint && called !== neverReached ? this.#depth : called;
      }
      default:
        return this.#childrenAfter(expr, state);
    }
  }

  #childrenAfter(expr: Expr, state: number): number {
    return childrenOf(expr).reduce((current, child) => this.after(child, current), state);
  }

  #branch(expr: Expr, state: number): void {
    for (const label of targetsOf(expr)) {
      const target = this.#loops.get(label);
      if (target !== undefined) {
        if (state < target.depth) this.found.add(target.loop);
      } else this.#blocks.set(label, Math.min(this.#blocks.get(label) ?? neverReached, state));
    }
  }
}

function hasOwnMark(loop: Expr): boolean {
  const [body] = childrenOf(loop);
  return body !== undefined && headMark(body)?.kind === 'loop';
}

export interface UncoveredRecursion {
  /** A chain of calls that leads back to its first function. */
  readonly cycle: readonly string[];
  /** A function on that cycle. All of these together are on every uncovered cycle. */
  readonly cut: string;
}

/**
 * Recursion that passes no entry with a point, one entry for each branch back that a depth-first search finds. The search
 * keeps a stack of its own: call chains are longer than the host's stack is deep.
 */
export function findUncoveredRecursion(graph: CallGraph, entryPolled: ReadonlySet<string>): UncoveredRecursion[] {
  const found = new Map<string, UncoveredRecursion>();
  const finished = new Set<string>();
  const path: { node: string; rest: string[] }[] = [];
  const onPath = new Set<string>();
  const enter = (node: string): void => {
    if (finished.has(node) || entryPolled.has(node)) return;
    path.push({ node, rest: graph.successors(node).reverse() });
    onPath.add(node);
  };
  for (const { name } of graph.functions()) {
    enter(name);
    for (let top = path[path.length - 1]; top !== undefined; top = path[path.length - 1]) {
      const next = top.rest.pop();
      if (next === undefined) {
        finished.add(top.node);
        onPath.delete(top.node);
        path.pop();
      } else if (onPath.has(next)) {
        const cut = isFunctionNode(next) ? next : top.node;
        const cycle = [...path.slice(path.findIndex(({ node }) => node === next)).map(({ node }) => node), next];
        if (!found.has(cut)) found.set(cut, { cut, cycle: cycle.filter(isFunctionNode) });
      } else enter(next);
    }
  }
  return [...found.values()];
}
