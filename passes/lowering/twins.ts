/**
 * Twins: a function that is likely to be busy gets a copy in which its frames come back, so that it has no way back itself.
 *
 *     (func $f <params>                                      (func $mvvm.twin.f <params>
 *       (if (global.get $mvvm.entering)                        <restore slots>
 *         (then (return (call $mvvm.twin.f ...))))             <dispatch to the point>
 *       <code with polls>)                                     <the same code with polls, a label before each point>)
 *
 * Why: a way into the middle of code makes a *phi* of every value that is needed there, the value that was computed or the
 * one that was restored. However rarely that way is taken, an engine can no longer know where a value comes from: it cannot
 * keep one on the stack from where it was computed, nor leave it in its register, and stores it again at each such place.
 *
 * A frame stays in the twin that it came back in until it returns; what it calls runs in the functions themselves. A twin
 * repeats the call of a function that has a twin by calling that, so there is one frame for each that comes back. Functions
 * without a twin repeat their calls as they are: where they call one with a twin, there are two.
 *
 * Both have the same points with the same numbers, and the same frame layout: lowering does the same to the same code.
 *
 * Code becomes larger by the twins, so there is a budget, spent where a program is likely to be: functions that are called
 * from loops or are recursive, and have loops themselves. None for functions with a `try`, whose clauses may need a way
 * back into the function's own code (see emit-try.ts), or in whose place others may run (tail calls).
 */

import type { Expr } from '../ir/binaryen.js';
import { type CallGraph, signatureKey } from '../ir/call-graph.js';
import { callTarget, childrenOf, indirectParams, indirectResults, kindOf, typeParts } from '../ir/expressions.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';

/** How many more iterations a loop is taken to have than the code around it is run. */
const ITERATIONS = 8;
/** Estimates beyond this tell nothing. */
const MOST_OFTEN = ITERATIONS ** 6;
/** From here on a function is worth a twin: by how deep its own loops are, or by how often its innermost code is run. */
const DEEP = ITERATIONS ** 3;
const OFTEN = ITERATIONS ** 4;
/** And if what it is worth is not little beside its size. */
const LEAST_PER_EXPRESSION = 1 / 4;
/** Rounds in which what callers are worth reaches their callees. */
const ROUNDS = 4;

/** Expressions that twins may have in all, whatever their part: large modules take long to compile as it is. */
const MOST_EXPRESSIONS = 500_000;

/** What is known of a function's code before it is lowered. */
interface Survey {
  readonly info: FunctionInfo;
  readonly size: number;
  /** How often the innermost code is run for each call, by the depth of loops. */
  readonly own: number;
  /** By callee, how often the call that is made most is made for each call of the function. */
  readonly calls: ReadonlyMap<string, number>;
  readonly hasTry: boolean;
}

/**
 * The functions that get a twin.
 * @param share expressions that twins may have together, as a part of those of the module; above 1, busy or not
 */
export function chooseTwins(module: IrModule, graph: CallGraph, share: number): ReadonlySet<string> {
  if (share === 0) return new Set();
  const surveys = graph.functions().map((info) => survey(module, graph, info));
  const often = estimate(surveys);
  const worth = ({ info, own }: Survey): number => (often.get(info.name) ?? 1) * own;
  const isBusy = (candidate: Survey): boolean =>
    (candidate.own >= DEEP || worth(candidate) >= OFTEN) && worth(candidate) >= candidate.size * LEAST_PER_EXPRESSION;
  const candidates = surveys
    .filter(({ info, hasTry }) => graph.isInstrumented(info.name) && !hasTry)
    .filter(({ info }) => graph.withTailCallees([info]).length === 1)
    .filter((candidate) => share > 1 || isBusy(candidate))
    .sort((a, b) => worth(b) / b.size - worth(a) / a.size);
  const total = surveys.reduce((sum, { size }) => sum + size, 0);
  let left = Math.min(MOST_EXPRESSIONS, Math.floor(total * share));
  const chosen = new Set<string>();
  for (const { info, size } of candidates) {
    if (size > left) continue;
    left -= size;
    chosen.add(info.name);
  }
  return chosen;
}

function survey(module: IrModule, graph: CallGraph, info: FunctionInfo): Survey {
  const calls = new Map<string, number>();
  let size = 0;
  let own = 1;
  let hasTry = false;
  const visit = (expr: Expr, often: number): void => {
    size += 1;
    const kind = kindOf(expr);
    const inside = kind === 'Loop' ? often * ITERATIONS : often;
    own = Math.max(own, inside);
    if (kind === 'Try') hasTry = true;
    for (const callee of calleesOf(graph, expr)) {
      // Recursion is as good as a loop.
      const times = callee === info.name ? often * ITERATIONS : often;
      calls.set(callee, Math.max(calls.get(callee) ?? 0, times));
    }
    for (const child of childrenOf(expr)) visit(child, inside);
  };
  visit(module.body(info), 1);
  return { info, size, own, calls, hasTry };
}

function calleesOf(graph: CallGraph, expr: Expr): string[] {
  const kind = kindOf(expr);
  if (kind === 'Call') return [callTarget(expr)];
  if (kind !== 'CallIndirect') return [];
  return graph.indirectCallees(signatureKey(indirectParams(expr), indirectResults(expr))).map(({ name }) => name);
}

/** How often each function is called from where it is called most, roughly. */
function estimate(surveys: readonly Survey[]): ReadonlyMap<string, number> {
  let often = new Map(surveys.map(({ info }) => [info.name, 1]));
  for (let round = 0; round < ROUNDS; round++) {
    const next = new Map(surveys.map(({ info }) => [info.name, 1]));
    for (const { info, calls } of surveys) {
      for (const [callee, times] of calls) {
        const before = next.get(callee);
        if (before === undefined) continue;
        next.set(callee, Math.min(MOST_OFTEN, Math.max(before, times * (often.get(info.name) ?? 1))));
      }
    }
    often = next;
  }
  return often;
}

/** A copy of a function that has not been lowered yet. */
export function addTwin(module: IrModule, info: FunctionInfo): FunctionInfo {
  const params = typeParts(info.params).length;
  const vars = module.localTypes(info).slice(params);
  const body = module.copyExpression(module.body(info));
  return module.addFunction(`mvvm.twin.${info.name}`, info.params, info.results, vars, body);
}
