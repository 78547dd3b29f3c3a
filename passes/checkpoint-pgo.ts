/**
 * Leaves out the stable points that a profile shows to be too hot, as long as every cycle keeps one.
 *
 * The hottest mark is tried first: it is taken away, and put back if a loop or a recursion is uncovered then. A point is too
 * hot if it took more than its fair share: count x (number of points) > 2 x (sum of counts).
 */

import type { Expr } from './ir/binaryen.js';
import { CallGraph } from './ir/call-graph.js';
import { findEntryPolled, findUncoveredLoops, findUncoveredRecursion } from './ir/coverage.js';
import { childrenOf, kindOf, setChild } from './ir/expressions.js';
import { readMark } from './ir/marks.js';
import type { FunctionInfo, IrModule } from './ir/module.js';
import type { Pass, Profile } from './pass.js';

export const checkpointPgo: Pass = {
  name: 'checkpoint-pgo',
  stage: 'placement',
  flag: 'enable-checkpoint-pgo',
  description: 'leaves out points that a profile shows to be too hot, where their cycles keep another',
  documentation: `Takes a profile (\`--enable-checkpoint-pgo=profile.json\`, written by \`mvvm run --profile\`) and leaves out points
that were passed more than twice as often as the average one, hottest first, as long as every loop and recursion keeps a
stable point.`,
  run({ module, options }) {
    if (options.profile === undefined) return;
    const functions = new Map(module.definedFunctions().map((fn) => [fn.name, fn]));
    for (const hot of tooHot(options.profile)) {
      const fn = functions.get(hot.function);
      const mark = fn === undefined ? undefined : findMarks(module, fn, hot.kind)[hot.ordinal];
      if (fn === undefined || mark === undefined) continue;
      setChild(mark.parent, mark.index, module.make.nop());
      if (isUncovered(module)) setChild(mark.parent, mark.index, mark.expr);
    }
  },
};

function tooHot(profile: Profile): Profile['points'] {
  const total = profile.points.reduce((sum, point) => sum + point.count, 0);
  return profile.points
    .filter((point) => point.count * profile.points.length > 2 * total)
    .sort((a, b) => b.count - a.count || b.ordinal - a.ordinal);
}

interface PlacedMark {
  readonly parent: Expr;
  readonly index: number;
  readonly expr: Expr;
}

/** The marks of one kind in a function, in code order. */
function findMarks(module: IrModule, fn: FunctionInfo, kind: string): PlacedMark[] {
  const found: PlacedMark[] = [];
  const visit = (parent: Expr): void => {
    for (const [index, expr] of childrenOf(parent).entries()) {
      if (readMark(expr)?.kind === kind) found.push({ parent, index, expr });
      else if (kindOf(expr) !== 'Nop') visit(expr);
    }
  };
  visit(module.body(fn));
  return found;
}

function isUncovered(module: IrModule): boolean {
  const entryPolled = findEntryPolled(module);
  return (
    module.definedFunctions().some((fn) => findUncoveredLoops(module.body(fn), entryPolled).length > 0) ||
    findUncoveredRecursion(new CallGraph(module), entryPolled).length > 0
  );
}
