/**
 * Makes the way from where a frame comes back to its point: from the begin of a region to a label before the point, or to
 * the loop or try that it is in, where the next region's way goes on. `mvvm.resume` names the point.
 *
 *     (br_table $mvvm.at.0 $mvvm.at.1 $mvvm.into.L $mvvm.into.L (call $mvvm.steer <bounds of the region>))
 */

import type { Expr } from '../ir/binaryen.js';
import { i32 } from '../ir/expressions.js';
import type { Maker } from '../ir/make.js';
import type { Item, LoopItem, Point, Region, TryItem, TwinnedLoop } from './linear-code.js';
import { type Numbering, pointsThrough, type RegionRange } from './number-points.js';
import type { Support } from './support.js';
import { globals, landFunction, steerByGateFunction, steerFunction } from './support-names.js';

interface SteerContext {
  readonly make: Maker;
  readonly support: Support;
  readonly numbering: Numbering;
}

/** What the emitter of a function lends. */
export interface DispatchContext extends SteerContext {
  /** The point at the region's very begin, if it has one. */
  readonly entry: Point | undefined;
  /** A local for a moment. */
  readonly scratch: number;
  /** Loads what the code around counts in. */
  reload(): Expr[];
  /** Whether frames that are in this loop come back elsewhere. */
  isInTwin(item: Item): boolean;
}

/** Where a frame comes back to a point, lands in place of one, or goes into a loop or try. */
export const atLabel = (index: number): string => `mvvm.at.${index}`;
const landingLabel = (index: number): string => `mvvm.land.${index}`;
export const intoLabel = ({ kind, name }: LoopItem | TryItem): string =>
  `mvvm.into.${kind === 'try' ? 'try.' : ''}${name}`;

/** @returns nothing where no frame comes back or lands: all points are in twinned loops that are never left here */
export function makeDispatch(region: Region, context: DispatchContext): Expr[] {
  const { make, support, numbering, entry, scratch, reload } = context;
  const range = numbering.rangeOf(region);
  const landings = region.filter((item) => item.kind === 'landing');
  const known = new Map<number, string>([
    ...(entry === undefined ? [] : [[entry.index, atLabel(entry.index)] as const]),
    ...region.filter((item) => !context.isInTwin(item)).flatMap(waysThrough),
    ...landings.map(({ inPlaceOf: { index } }): [number, string] => [index, landingLabel(index)]),
  ]);
  const [any] = known.values();
  // The label of the last points, where there is a way to them, makes the smallest table.
  const last = known.get(range.end - 1) ?? any;
  if (last === undefined) {
    if (range.start < range.nestedStart) throw new Error('a region with points of its own, and no way to them');
    return [];
  }
  const labels = Array.from(
    { length: range.end - range.start },
    (_, offset) => known.get(range.start + offset) ?? last,
  );
  const dispatch = (): Expr[] => {
    const steer = makeSteer(range, context);
    const loads = reload();
    if (labels.every((label) => label === last)) return [make.drop(steer), ...loads, make.br(last)];
    if (loads.length === 0) return [make.brTable(labels, last, steer)];
    return [make.set(scratch, steer), ...loads, make.brTable(labels, last, make.get(scratch, i32))];
  };
  return landings.reduce(
    (code, { inPlaceOf: { index } }) => [
      make.block(landingLabel(index), code),
      make.call(support.use(landFunction), []),
      ...reload(),
      make.br(atLabel(index)),
    ],
    dispatch(),
  );
}

/** The same in a twin that has these loops alone. */
export function makeDispatchToLoops(loops: readonly TwinnedLoop[], context: SteerContext): Expr[] {
  const { make, numbering } = context;
  const ways = loops.map(({ loop }) => ({ loop, range: numbering.rangeAround(loop) }));
  ways.sort((a, b) => a.range.end - b.range.end);
  return ways.flatMap(({ loop, range }, index) => {
    const go = [make.drop(makeSteer(range, context)), make.br(intoLabel(loop))];
    if (index === ways.length - 1) return go;
    return [make.if(make.lessUnsigned(make.globalGet(globals.resume), make.const(range.end)), go)];
  });
}

/** Tells how far into a range of points the one is that `resume` names, and makes ready for it. */
function makeSteer(
  { start, countedLoopsEnd, loopsEnd, nestedStart }: RegionRange,
  { make, support }: SteerContext,
): Expr {
  const byGate = countedLoopsEnd !== loopsEnd;
  const bounds = [start, loopsEnd, nestedStart, ...(byGate ? [countedLoopsEnd] : [])];
  const name = support.use(byGate ? steerByGateFunction : steerFunction);
  return make.call(
    name,
    bounds.map((bound) => make.const(bound)),
    i32,
  );
}

/** Indices of the points that are reached through an item, with the label to go to. */
function waysThrough(item: Item): [number, string][] {
  if (item.kind === 'loop' || item.kind === 'try') return pointsThrough(item).map((index) => [index, intoLabel(item)]);
  return item.kind === 'poll' || item.kind === 'call' ? [[item.point.index, atLabel(item.point.index)]] : [];
}
