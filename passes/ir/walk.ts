/** Walking and rewriting expression trees. */

import type { Expr } from './binaryen.js';
import { childrenOf, setChild } from './expressions.js';

/** Calls `visit` for every expression under `root`, children before parents, in the order of evaluation. */
export function walk(root: Expr, visit: (expr: Expr) => void): void {
  for (const child of childrenOf(root)) walk(child, visit);
  visit(root);
}

/** Whether `test` holds for an expression under `root`, or for itself. */
export function some(root: Expr, test: (expr: Expr) => boolean): boolean {
  return test(root) || childrenOf(root).some((child) => some(child, test));
}

/** The number of expressions under `roots`, themselves included. */
export function countExpressions(roots: readonly Expr[]): number {
  let count = 0;
  for (const root of roots) {
    walk(root, () => {
      count += 1;
    });
  }
  return count;
}

/** Whether there are at most so many expressions under `roots`, themselves included. */
export function hasAtMost(count: number, roots: readonly Expr[]): boolean {
  let left = count;
  return !roots.some((root) => some(root, () => --left < 0));
}

/**
 * Replaces expressions bottom-up: every expression by what `change` makes of it, which may be itself.
 * @returns what stands in the place of `root`
 */
export function rewrite(root: Expr, change: (expr: Expr) => Expr): Expr {
  for (const [index, child] of childrenOf(root).entries()) {
    const replacement = rewrite(child, change);
    if (replacement !== child) setChild(root, index, replacement);
  }
  return change(root);
}
