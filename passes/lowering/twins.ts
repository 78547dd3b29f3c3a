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
 * A function that is called seldom, and spends its time in loops, has a twin of these loops alone: see twinned-loops.ts. Not
 * one that calls itself: each frame that comes back into a loop takes the stack of two. Nor one with references: a frame that
 * goes on in the function passes through the host's words, and the host need not know a reference by a word unless a
 * snapshot is made. And not where stores mark what they change (policy loop-dirty): programs were slower with than without,
 * and a twin does not know which marks the loops around its own have pending.
 *
 * A frame stays in the twin of a whole function until it returns; what it calls runs in the functions themselves. Such a twin
 * repeats the call of a function that has one as well by calling that, so there is one frame for each that comes back, however
 * deep a recursion is. All other code repeats its calls as they are: where it calls a function with a twin, there are two.
 *
 * The twin of a function that is called often is *brief*: what is left of one call need not be fast, so it is made to be small.
 * It polls and charges by calls, and stale numbers stay in its locals.
 *
 * Both have the same points with the same numbers, count alike, and have the same frame layout (isAlike in lower-points.ts).
 *
 * Code becomes larger by the twins, so they are for what a program is likely to spend its time in (busy-code.ts), and there
 * is a budget. None for functions with a `try`, whose clauses may need a way back into the function's own code (see
 * emit-try.ts), or in whose place others may run (tail calls). And none for all of a function without calls that can be
 * left: its frame is never below another, and does not profit from what is outside of its loops.
 */

import type { Expr, Type } from '../ir/binaryen.js';
import type { CallGraph } from '../ir/call-graph.js';
import { childrenOf, kindOf, none, numberTypes, typeOf, typeParts, unreachable } from '../ir/expressions.js';
import { ITERATIONS } from '../ir/frequencies.js';
import { headMark, readMark } from '../ir/marks.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { findRecursive } from '../ir/recursion.js';
import { countExpressions, some, walk } from '../ir/walk.js';
import { type Activity, type BusyCode, OFTEN } from './busy-code.js';

/** From here on a function is worth a twin by how deep its own loops are; or by how often its innermost code is run. */
const DEEP = ITERATIONS ** 3;
/** And if that is not just a small part of it: so often its expressions are run, on the average. */
const DENSE = ITERATIONS * 4;
/** What is run so often is in the twin. */
const HOT = ITERATIONS ** 2;
/** And if that is not little beside the mean of all expressions of the program. */
const LEAST_TO_MEAN = 0.6;

/** Expressions that twins may have in all, whatever their part: large modules take long to compile as it is. */
const MOST_EXPRESSIONS = 500_000;

/** A twin that a function can have. */
interface Candidate {
  /** Runs from which on a loop is in it; infinite if all of the function is. */
  readonly hot: number;
  /** Expressions. */
  readonly size: number;
}

/** A function that is called so often has a brief twin. */
const CALLED_OFTEN = ITERATIONS;

export interface ChosenTwin {
  /** Runs from which on a loop is in it; infinite if all of the function is. */
  readonly hot: number;
  /** Whether the function is called so often that what is left of one call, in the twin, need not be fast, but small. */
  readonly isBrief: boolean;
}

/** A twin that has not been lowered yet. */
export interface Twin extends ChosenTwin {
  readonly info: FunctionInfo;
}

/** Copies the functions that are to have a twin, while their code is as it was. @returns the twins by the functions' names */
export function addTwins(
  module: IrModule,
  busy: BusyCode,
  chosen: ReadonlyMap<string, ChosenTwin>,
): ReadonlyMap<string, Twin> {
  const twins = new Map<string, Twin>();
  for (const { info } of busy.functions) {
    const twin = chosen.get(info.name);
    if (twin === undefined) continue;
    const copy = addTwin(module, info);
    busy.addCopy(info.name, copy.name, module.body(copy));
    twins.set(info.name, { ...twin, info: copy });
  }
  return twins;
}

/**
 * The functions that get a twin.
 * @param share expressions that twins may have together, as a part of those of the module; above 1, busy or not
 * @param canBeOfLoops whether there may be twins of loops alone
 */
export function chooseTwins(
  module: IrModule,
  graph: CallGraph,
  busy: BusyCode,
  share: number,
  canBeOfLoops: boolean,
): ReadonlyMap<string, ChosenTwin> {
  const chosen = new Map<string, ChosenTwin>();
  if (share === 0) return chosen;
  const total = busy.functions.reduce((sum, { size }) => sum + size, 0);
  const mean = busy.functions.reduce((sum, activity) => sum + workOf(activity), 0) / total;
  const hot = share > 1 ? undefined : Math.max(HOT, mean * LEAST_TO_MEAN);
  const candidates = new Candidates(module, graph, busy, hot, canBeOfLoops);
  let left = Math.min(MOST_EXPRESSIONS, Math.floor(total * share));
  for (const activity of busy.functions.toSorted((a, b) => densityOf(b) - densityOf(a))) {
    const twin = candidates.of(activity).find(({ size }) => size <= left);
    if (twin === undefined) continue;
    left -= twin.size;
    chosen.set(activity.info.name, { hot: twin.hot, isBrief: activity.calls >= CALLED_OFTEN });
  }
  return chosen;
}

class Candidates {
  readonly #module: IrModule;
  readonly #graph: CallGraph;
  readonly #busy: BusyCode;
  readonly #recursive: ReadonlySet<string>;
  /** Runs from which on code is to be in a twin; undefined if all code is that can be. */
  readonly #hot: number | undefined;
  readonly #canBeOfLoops: boolean;

  constructor(module: IrModule, graph: CallGraph, busy: BusyCode, hot: number | undefined, canBeOfLoops: boolean) {
    this.#module = module;
    this.#graph = graph;
    this.#busy = busy;
    this.#recursive = findRecursive(graph);
    this.#hot = hot;
    this.#canBeOfLoops = canBeOfLoops;
  }

  /** Twins that a function can have, the largest first. */
  of(activity: Activity): Candidate[] {
    if (!this.#canHaveTwin(activity.info)) return [];
    const all = { hot: Number.POSITIVE_INFINITY, size: activity.size };
    // Loops in others where there are such: frames find their way to landings in loops then.
    if (this.#hot === undefined) return [this.#ofLoops(activity, HOT) ?? this.#ofLoops(activity, 0) ?? all];
    return isWorthIt(activity) ? this.#ofHotCode(activity, this.#hot) : [];
  }

  #ofHotCode(activity: Activity, least: number): Candidate[] {
    const { size, calls, peak } = activity;
    if (peak * calls < least) return [];
    const isHot = calls >= least || !this.#canBeOfLoops;
    const found = isHot && this.#hasFramesAbove(activity.info) ? [{ hot: Number.POSITIVE_INFINITY, size }] : [];
    for (let hot = least; hot <= peak * calls; hot *= ITERATIONS) {
      const loops = calls >= hot ? undefined : this.#ofLoops(activity, hot);
      if (loops !== undefined) found.push(loops);
    }
    return found;
  }

  /** @returns undefined where there are no such loops, or cannot be a twin of them alone */
  #ofLoops({ info }: Activity, hot: number): Candidate | undefined {
    if (!this.#canBeOfLoops || this.#recursive.has(info.name)) return undefined;
    const body = this.#module.body(info);
    // Values that are not in locals yet will be.
    if (this.#module.localTypes(info).some(hasReference) || some(body, (expr) => hasReference(typeOf(expr)))) {
      return undefined;
    }
    const loops = this.#findLoops(body, this.#busy.findIn(info.name, hot).hotLoops);
    return loops.length === 0 ? undefined : { hot, size: countExpressions(loops) };
  }

  #canHaveTwin(info: FunctionInfo): boolean {
    if (!this.#graph.isInstrumented(info.name) || this.#graph.withTailCallees([info]).length > 1) return false;
    return !some(this.#module.body(info), (expr) => kindOf(expr) === 'Try');
  }

  #hasFramesAbove(info: FunctionInfo): boolean {
    return some(this.#module.body(info), (expr) => this.#graph.isPoint(expr) && readMark(expr) === undefined);
  }

  /** The outermost of these loops, where they have stable points inside. */
  #findLoops(expr: Expr, hot: ReadonlySet<Expr>): Expr[] {
    if (!hot.has(expr)) return childrenOf(expr).flatMap((child) => this.#findLoops(child, hot));
    const [body] = childrenOf(expr);
    const own = body !== undefined && headMark(body)?.kind === 'loop' ? 1 : 0;
    return this.#countPoints(expr) > own ? [expr] : [];
  }

  #countPoints(expr: Expr): number {
    let count = 0;
    walk(expr, (inner) => {
      if (this.#graph.isPoint(inner)) count += 1;
    });
    return count;
  }
}

function isWorthIt(activity: Activity): boolean {
  const { peak, calls } = activity;
  return (peak >= DEEP || peak * calls >= OFTEN) && densityOf(activity) >= DENSE;
}

const workOf = ({ calls, work }: Activity): number => calls * work;
const densityOf = (activity: Activity): number => workOf(activity) / activity.size;

const hasReference = (type: Type): boolean =>
  typeParts(type).some((part) => part !== none && part !== unreachable && !numberTypes.has(part));

/** A copy of a function that has not been lowered yet. */
export function addTwin(module: IrModule, info: FunctionInfo): FunctionInfo {
  const params = typeParts(info.params).length;
  const vars = module.localTypes(info).slice(params);
  const body = module.copyExpression(module.body(info));
  return module.addFunction(`mvvm.twin.${info.name}`, info.params, info.results, vars, body);
}
