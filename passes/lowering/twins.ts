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
 * Code becomes larger by the twins, so there is a budget, spent where a program is likely to be (busy-code.ts). None for
 * functions with a `try`, whose clauses may need a way back into the function's own code (see emit-try.ts), or in whose
 * place others may run (tail calls).
 */

import type { CallGraph } from '../ir/call-graph.js';
import { kindOf, typeParts } from '../ir/expressions.js';
import { ITERATIONS } from '../ir/frequencies.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { some } from '../ir/walk.js';
import type { Activity, BusyCode } from './busy-code.js';

/** From here on a function is worth a twin: by how deep its own loops are, or by how often its innermost code is run. */
const DEEP = ITERATIONS ** 3;
const OFTEN = ITERATIONS ** 4;
/** And if that is not just a small part of it: so often its expressions are run, on the average. */
const DENSE = ITERATIONS * 4;
/** And if that is not little beside the rest of the program. */
const LEAST_TO_MEAN = 1 / 4;

/** Expressions that twins may have in all, whatever their part: large modules take long to compile as it is. */
const MOST_EXPRESSIONS = 500_000;

/**
 * The functions that get a twin.
 * @param share expressions that twins may have together, as a part of those of the module; above 1, busy or not
 */
export function chooseTwins(
  module: IrModule,
  graph: CallGraph,
  { functions }: BusyCode,
  share: number,
): ReadonlySet<string> {
  if (share === 0) return new Set();
  const total = functions.reduce((sum, { size }) => sum + size, 0);
  const mean = functions.reduce((sum, activity) => sum + workOf(activity), 0) / total;
  const isWorthIt = (candidate: Activity): boolean =>
    (candidate.peak >= DEEP || candidate.peak * candidate.calls >= OFTEN) &&
    densityOf(candidate) >= Math.max(DENSE, mean * LEAST_TO_MEAN);
  const candidates = functions
    .filter(({ info }) => graph.isInstrumented(info.name) && graph.withTailCallees([info]).length === 1)
    .filter(({ info }) => !some(module.body(info), (expr) => kindOf(expr) === 'Try'))
    .filter((candidate) => share > 1 || isWorthIt(candidate))
    .sort((a, b) => densityOf(b) - densityOf(a));
  let left = Math.min(MOST_EXPRESSIONS, Math.floor(total * share));
  const chosen = new Set<string>();
  for (const { info, size } of candidates) {
    if (size > left) continue;
    left -= size;
    chosen.add(info.name);
  }
  return chosen;
}

const workOf = ({ calls, work }: Activity): number => calls * work;
const densityOf = (activity: Activity): number => workOf(activity) / activity.size;

/** A copy of a function that has not been lowered yet. */
export function addTwin(module: IrModule, info: FunctionInfo): FunctionInfo {
  const params = typeParts(info.params).length;
  const vars = module.localTypes(info).slice(params);
  const body = module.copyExpression(module.body(info));
  return module.addFunction(`mvvm.twin.${info.name}`, info.params, info.results, vars, body);
}
