/**
 * Linear code: the form in which an instrumented function is lowered.
 *
 * A *region* is the body of a function or of a loop, as a sequence of items. Blocks and ifs that contain stable points
 * are dissolved: only the *ends* of their labels are left, as items. That is enough, because in wasm it does not matter
 * where a block begins - a branch to it goes to its end - so all of them can begin where the region begins. And it is
 * what makes resuming cheap: code at a region's begin can branch forward to *any* item of the region, the normal path
 * pays nothing for that, and only loops must be entered by their heads.
 *
 *     (block $a (stmt1) (if (c) (then (call $f)) (else (stmt2))) (stmt3))
 *
 * is the sequence
 *
 *     stmt1; (br_if $else (eqz c)); call $f; (br $end); label $else; stmt2; label $end; stmt3; label $a
 *
 * Stable points are items; values that cross one are in locals.
 */

import type { PointKind } from '../../runtime/abi/index.js';
import type { Expr } from '../ir/binaryen.js';
import { labelsUnder } from '../ir/exits.js';
import { kindOf, localIndex, targetsOf, typeOf, unreachable } from '../ir/expressions.js';
import type { LocalSet } from '../ir/local-set.js';
import type { Gate } from '../ir/marks.js';
import type { FunctionInfo } from '../ir/module.js';
import { walk } from '../ir/walk.js';

/** A stable point of the function that is being lowered. */
export interface Point {
  readonly kind: PointKind;
  /** Counts the function's points of this kind, in code order. */
  readonly ordinal: number;
  /** Whether the code around it is likely to be run often, see busy-code.ts. */
  readonly isBusy: boolean;
  /** Index among the function's points, set by number-points.ts. */
  index: number;
  /** Locals whose values are needed after resuming here, set by find-live-slots.ts. */
  live: LocalSet;
  /** Locals to clear here, set by find-stale-locals.ts. */
  stale: readonly number[];
}

/** An expression without stable points inside. */
export interface StatementItem {
  readonly kind: 'statement';
  readonly expr: Expr;
}

/** The end of a block that began at the region's begin. */
export interface LabelItem {
  readonly kind: 'label';
  readonly name: string;
}

export interface LoopItem {
  readonly kind: 'loop';
  readonly name: string;
  readonly body: Region;
  /** Set when the loop polls, see {@link pollsAtHead}. */
  gate?: Gate;
  point?: Point;
  /** Whether it or a loop inside is likely to be run often, see busy-code.ts. */
  isBusy: boolean;
  /** Whether it is likely to be run so often that ways back into it cost much, see busy-code.ts. */
  readonly isHot: boolean;
  /** Whether that is known of it: to poll in each costs less than strips do, see emit-loop.ts. */
  readonly hasFewIterations: boolean;
  /** Locals whose values are needed at the loop's head, set by find-live-slots.ts. */
  live: LocalSet;
  /** Locals to clear before the loop, and where an iteration ends that is followed by another: see find-stale-locals.ts. */
  staleBefore: readonly number[];
  staleAtEnd: readonly number[];
}

/** A `try` with points inside; like a loop it can be entered by its head alone. */
export interface TryItem {
  readonly kind: 'try';
  /** For `rethrow` and `delegate`. */
  readonly name: string;
  readonly body: Region;
  readonly clauses: readonly ClauseRegion[];
  /** Set when it has no clauses and delegates to another. */
  readonly delegate: string | undefined;
}

/** A `catch`, or a `catch_all` if it has no tag. */
export interface ClauseRegion {
  readonly tag: string | undefined;
  /** The local that takes what was caught, and keeps it as long as the clause runs. */
  readonly payload: number | undefined;
  readonly body: Region;
  /** What is needed to throw the exception again, see emit-try.ts; set where the clause has points. */
  readonly held: HeldException | undefined;
}

/** An exception while a frame is away: `catch_all` finds out what it has caught when the frame leaves. */
export interface HeldException {
  /** The local that says which of `tags`; none where there is only one. */
  readonly selector: number | undefined;
  readonly tags: readonly { readonly tag: string; readonly payload: number | undefined }[];
}

/** A poll that is not at a loop's head. */
export interface PollItem {
  readonly kind: 'poll';
  readonly gate: Gate;
  readonly point: Point;
}

/** A call during which a checkpoint can be taken: to an instrumented function, or to an import that can block. */
export interface CallItem {
  readonly kind: 'call';
  readonly call: Expr;
  /** Where the call's value goes; undefined when it has none or nobody wants it. */
  readonly result: number | undefined;
  readonly point: Point;
}

/**
 * Where a frame goes on that has left a twinned loop in the twin: see twinned-loops.ts. No stable point: on the way here it
 * goes by the number of a point in that loop, to which there is no way in this function.
 */
export interface LandingItem {
  readonly kind: 'landing';
  readonly inPlaceOf: Point;
  /** Locals whose values are needed here, set by find-live-slots.ts. */
  live: LocalSet;
}

export type Item = StatementItem | LabelItem | LoopItem | TryItem | PollItem | CallItem | LandingItem;
export type Region = Item[];

export interface LinearFunction {
  readonly info: FunctionInfo;
  /** Whether it is likely to be called often, see busy-code.ts. */
  readonly isBusy: boolean;
  readonly body: Region;
  /** The point before everything else, which every instrumented function has. */
  readonly entry: Point;
}

/** A loop whose frames come back in the twin, where the twin has no more of the function than such loops. */
export interface TwinnedLoop {
  readonly loop: LoopItem;
  /** Where control goes from the loop's end, if it comes there. */
  readonly end: LandingItem | undefined;
  /** And where it goes by branches, by the label. */
  readonly exits: ReadonlyMap<string, LandingItem>;
}

/** The statements of a region, without those of regions inside. */
export function statementsOf(region: Region): Expr[] {
  return region.flatMap((item) => (item.kind === 'statement' ? [item.expr] : []));
}

/** The code of an item but for that in regions within it. */
export function codeOf(item: Item): Expr[] {
  if (item.kind === 'statement') return [item.expr];
  return item.kind === 'call' ? [item.call] : [];
}

/** The regions within an item, in code order. */
export function regionsIn(item: Item): Region[] {
  if (item.kind === 'loop') return [item.body];
  return item.kind === 'try' ? [item.body, ...item.clauses.map((clause) => clause.body)] : [];
}

/** The locals of a held exception: needed wherever the frame can leave. */
export function localsOf({ selector, tags }: HeldException): number[] {
  return [selector, ...tags.map(({ payload }) => payload)].filter((local) => local !== undefined);
}

/** All points in a region and those inside of it, in code order. */
export function pointsIn(region: Region): Point[] {
  return region.flatMap((item): Point[] => {
    if (item.kind === 'loop') return [...(item.point ? [item.point] : []), ...pointsIn(item.body)];
    if (item.kind === 'try') return regionsIn(item).flatMap(pointsIn);
    return item.kind === 'poll' || item.kind === 'call' ? [item.point] : [];
  });
}

/** Locals that are needed where frames leave and come back, or land; not in `except`. */
export function findSaved(fn: LinearFunction, except: ReadonlySet<Item> = new Set()): LocalSet {
  const saved = fn.entry.live.clone();
  const visit = (region: Region): void => {
    for (const item of region) {
      if (except.has(item)) continue;
      if (item.kind === 'landing') saved.addAll(item.live);
      const point = item.kind === 'loop' || item.kind === 'poll' || item.kind === 'call' ? item.point : undefined;
      if (point !== undefined) saved.addAll(point.live);
      for (const inner of regionsIn(item)) visit(inner);
    }
  };
  visit(fn.body);
  return saved;
}

/** All loops with points in a region and those inside of it. */
export function loopsIn(region: Region): LoopItem[] {
  return region.flatMap((item): LoopItem[] => [
    ...(item.kind === 'loop' ? [item] : []),
    ...regionsIn(item).flatMap(loopsIn),
  ]);
}

/** Whether a loop has no `try` with points inside, and no call during which another function's polls count or the host can ask to leave. */
export function isCallFree(loop: LoopItem): boolean {
  return loop.body.every((item) => {
    if (item.kind === 'call' || item.kind === 'try') return false;
    return item.kind !== 'loop' || isCallFree(item);
  });
}

/**
 * Whether a loop that polls does so where an iteration begins: it must, if the way to points inside leads through its poll,
 * and it does if it is not busy, because that is less code. Otherwise it polls where an iteration ends that is followed by
 * another. In both cases resuming at its point enters it by its head, and only in the first the head counts that passing a
 * second time.
 */
export function pollsAtHead(loop: LoopItem): boolean {
  return !loop.isBusy || pointsIn(loop.body).length > 0;
}

/** Whether control can fall out of a region's end. */
export function endsOpen(region: Region): boolean {
  const last = region[region.length - 1];
  return last?.kind !== 'statement' || typeOf(last.expr) !== unreachable;
}

/** The labels that branches in a loop can go to without leaving it. */
export function labelsIn({ name, body }: LoopItem): Set<string> {
  const labels = new Set([name]);
  const collect = (region: Region): void => {
    for (const item of region) {
      if (item.kind === 'label' || item.kind === 'loop') labels.add(item.name);
      for (const label of labelsUnder(codeOf(item))) labels.add(label);
      for (const inner of regionsIn(item)) collect(inner);
    }
  };
  collect(body);
  return labels;
}

/** The labels that branches in a region go to, with the regions inside. */
export function targetsIn(region: Region): Set<string> {
  const targets = new Set<string>();
  const collect = (expr: Expr): void => {
    if (kindOf(expr) === 'Break' || kindOf(expr) === 'Switch') for (const label of targetsOf(expr)) targets.add(label);
  };
  for (const item of region) {
    for (const code of codeOf(item)) walk(code, collect);
    for (const inner of regionsIn(item)) for (const label of targetsIn(inner)) targets.add(label);
  }
  return targets;
}

/** Locals that code in a region assigns, with the regions inside. */
export function assignedIn(region: Region): Set<number> {
  const assigned = new Set<number>();
  const collect = (expr: Expr): void =>
    walk(expr, (inner) => {
      if (kindOf(inner) === 'LocalSet') assigned.add(localIndex(inner));
    });
  for (const item of region) {
    codeOf(item).forEach(collect);
    if (item.kind === 'call' && item.result !== undefined) assigned.add(item.result);
    for (const region of regionsIn(item)) for (const local of assignedIn(region)) assigned.add(local);
    if (item.kind === 'try') for (const { payload } of item.clauses) if (payload !== undefined) assigned.add(payload);
  }
  return assigned;
}
