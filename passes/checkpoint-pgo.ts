/**
 * Leaves out the stable points that a profile shows to be too hot, as long as every cycle keeps one.
 *
 * The hottest mark is tried first: it is taken away, and put back if a loop or a recursion is uncovered then. A point is too
 * hot if it took more than its fair share: count x (number of points) > 2 x (sum of counts).
 */

import type { Expr } from './ir/binaryen.js';
import { CallGraph } from './ir/call-graph.js';
import { findEntryPolled, findUnboundedLoops, findUncoveredRecursion } from './ir/coverage.js';
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
    const placed = new PlacedMarks(module);
    for (const hot of tooHot(options.profile)) {
      const mark = placed.find(hot.function, hot.kind, hot.ordinal);
      if (mark === undefined) continue;
      setChild(mark.parent, mark.index, module.make.nop());
      if (isUncovered(module, options.thresholdBits)) setChild(mark.parent, mark.index, mark.expr);
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

/** The marks of a module under the numbers that their points will have: their kind and how many of it come before. */
class PlacedMarks {
  readonly #module: IrModule;
  readonly #graph: CallGraph;
  readonly #found = new Map<string, PlacedMark>();

  constructor(module: IrModule) {
    this.#module = module;
    this.#graph = new CallGraph(module);
    for (const fn of module.definedFunctions()) this.#number(fn);
  }

  find(fn: string, kind: string, ordinal: number): PlacedMark | undefined {
    return this.#found.get(`${fn} ${kind} ${ordinal}`);
  }

  /** Every instrumented function has an entry point that needs no mark, and calls that can block are points like marks. */
  #number(fn: FunctionInfo): void {
    const counts = new Map([['entry', 1]]);
    const count = (kind: string): number => {
      const ordinal = counts.get(kind) ?? 0;
      counts.set(kind, ordinal + 1);
      return ordinal;
    };
    const visit = (parent: Expr): void => {
      for (const [index, expr] of childrenOf(parent).entries()) {
        visit(expr);
        const mark = readMark(expr);
        if (mark !== undefined) this.#found.set(`${fn.name} ${mark.kind} ${count(mark.kind)}`, { parent, index, expr });
        else if (kindOf(expr) === 'Call' && this.#graph.callKind(expr) === 'host') count('host');
      }
    };
    visit(this.#module.body(fn));
  }
}

function isUncovered(module: IrModule, thresholdBits: number): boolean {
  const entryPolled = findEntryPolled(module);
  return (
    module.definedFunctions().some((fn) => findUnboundedLoops(module, fn, entryPolled, thresholdBits).length > 0) ||
    findUncoveredRecursion(new CallGraph(module), entryPolled).length > 0
  );
}
