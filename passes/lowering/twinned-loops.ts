/**
 * Twinned loops: a function that spends its time in a few loops needs a twin (twins.ts) for these alone. Frames that were in
 * such a loop come back in the twin, which has nothing but the loops. When the loop is left there, the twin saves the frame
 * and calls the function, where it goes on at a *landing*: behind the loop, or where a branch out of it goes.
 *
 *     (func $f                                                   (func $mvvm.twin.f
 *       (if (global.get $mvvm.entering)                            <restore slots>
 *         (then <unless it lands: if the point is in the loop,     <dispatch to the point>
 *                (return (call $mvvm.twin.f))>                     (loop <the same code, with ways back>)
 *               <restore slots> <dispatch>))                       <save slots, as if at a point>
 *       ...                                                        (call $mvvm.go_on)
 *       (loop <code without ways back>)                            (return (call $f)))
 *       <landing> ...)
 *
 * A landing is no stable point and has no number of its own: on the way there a frame goes by that of a point in the loop, to
 * which there is no way in the function. `mvvm.landing` tells whether a number means the landing or the point. A loop that
 * has fewer points than ways out is not twinned.
 *
 * What only such loops need is not restored in the function, and saved by a way out of the loops: so an engine has nothing of
 * it to carry around the loops.
 *
 * So twins are small, ways back into the rest of the function do not harm what it spends its time in, and a frame that has
 * come back is soon in the function's own code again.
 */

import { LocalSet } from '../ir/local-set.js';
import {
  endsOpen,
  findSaved,
  type Item,
  type LandingItem,
  type LinearFunction,
  type LoopItem,
  labelsIn,
  loopsIn,
  type Point,
  pointsIn,
  type Region,
  regionsIn,
  type TwinnedLoop,
  targetsIn,
} from './linear-code.js';

/** A place before the item of that index. */
interface Place {
  readonly region: Region;
  readonly index: number;
}

/** Finds the loops of `fn` to be twinned, and puts landings where control goes from them. */
export function twinLoops(fn: LinearFunction): TwinnedLoop[] {
  if (!loopsIn(fn.body).some(({ isHot }) => isHot)) return [];
  const found = new LoopFinder();
  found.visit(fn.body);
  const landings = new Landings();
  const twinned: TwinnedLoop[] = [];
  for (const hot of found.loops) {
    const loop = landings.twin(hot, found.places);
    if (loop !== undefined) twinned.push(loop);
    // Those inside of it may do, and follow.
    else found.visit(hot.loop.body);
  }
  landings.insert();
  return twinned;
}

/** Locals that only twinned loops need, from which on a way out of their own is worth its bytes. */
const MANY_INSIDE = 8;

/** The twinned loops of a function, and what its frames leave and come back with. */
export interface TwinnedLoops {
  readonly loops: readonly TwinnedLoop[];
  /** The same, as items of linear code. */
  readonly items: ReadonlySet<Item>;
  /** At all points and landings. */
  readonly saved: LocalSet;
  /** At those that are not in one of the loops; undefined where that is everything, or nearly. */
  readonly outside: LocalSet | undefined;
}

/**
 * What only twinned loops need is not saved and restored outside of them, and so is no value that an engine has to carry
 * through the code around.
 */
export function findOutside(fn: LinearFunction, loops: readonly TwinnedLoop[]): TwinnedLoops {
  const saved = findSaved(fn);
  const items = new Set(loops.map(({ loop }) => loop));
  if (loops.length === 0) return { loops, items, saved, outside: undefined };
  const outside = findSaved(fn, items);
  const inside = [...saved].filter((local) => !outside.has(local));
  return { loops, items, saved, outside: inside.length < MANY_INSIDE ? undefined : outside };
}

/** The code of a twin that has these loops alone. */
export function regionOfTwin(loops: readonly TwinnedLoop[]): Region {
  const exits = new Map(loops.flatMap(({ exits }) => [...exits]));
  return [
    ...loops.flatMap(({ loop, end }): Item[] => [loop, ...(end === undefined ? [] : [end])]),
    ...[...exits].flatMap(([name, landing]): Item[] => [{ kind: 'label', name }, landing]),
  ];
}

interface HotLoop {
  readonly loop: LoopItem;
  readonly end: Place;
}

class LoopFinder {
  readonly loops: HotLoop[] = [];
  /** Where branches to a label go. */
  readonly places = new Map<string, Place>();

  visit(region: Region): void {
    for (const [index, item] of region.entries()) {
      if (item.kind === 'label') this.places.set(item.name, placeFrom(region, index));
      if (item.kind === 'loop') this.places.set(item.name, { region, index });
      if (item.kind === 'loop' && item.isHot && pointsIn(item.body).length > 0) {
        this.loops.push({ loop: item, end: placeFrom(region, index + 1) });
        continue;
      }
      for (const inner of regionsIn(item)) this.visit(inner);
    }
  }
}

/** Labels are ends of blocks: behind several it is the same place. */
function placeFrom(region: Region, index: number): Place {
  let beyond = index;
  while (region[beyond]?.kind === 'label') beyond += 1;
  return { region, index: beyond };
}

class Landings {
  readonly #made = new Map<Region, Map<number, LandingItem>>();

  /** @returns undefined if the loop has fewer points than there are landings to be named after them */
  twin({ loop, end }: HotLoop, places: ReadonlyMap<string, Place>): TwinnedLoop | undefined {
    const labels = exitsOf(loop).map((label): [string, Place] => {
      const place = places.get(label);
      if (place === undefined) throw new Error(`a branch to "${label}", which is nowhere`);
      return [label, place];
    });
    const isOpen = endsOpen(loop.body);
    const missing = withoutDuplicates([...(isOpen ? [end] : []), ...labels.map(([, place]) => place)]).filter(
      (place) => !this.#has(place),
    );
    const points = pointsIn([loop]);
    if (points.length < missing.length) return undefined;
    for (const place of missing) this.#make(place, points.shift());
    return {
      loop,
      end: isOpen ? this.#at(end) : undefined,
      exits: new Map(labels.map(([label, place]) => [label, this.#at(place)])),
    };
  }

  insert(): void {
    for (const [region, landings] of this.#made) {
      for (const [index, landing] of [...landings].sort(([a], [b]) => b - a)) region.splice(index, 0, landing);
    }
  }

  #make({ region, index }: Place, inPlaceOf: Point | undefined): void {
    if (inPlaceOf === undefined) throw new Error('a landing needs a point to be named after');
    const landings = this.#made.get(region) ?? new Map<number, LandingItem>();
    this.#made.set(region, landings.set(index, { kind: 'landing', inPlaceOf, live: new LocalSet(0) }));
  }

  #has({ region, index }: Place): boolean {
    return this.#made.get(region)?.has(index) === true;
  }

  #at({ region, index }: Place): LandingItem {
    const landing = this.#made.get(region)?.get(index);
    if (landing === undefined) throw new Error('a landing that was not made');
    return landing;
  }
}

function withoutDuplicates(places: readonly Place[]): Place[] {
  const known = new Map<Region, Set<number>>();
  return places.filter(({ region, index }) => {
    const indices = known.get(region) ?? new Set();
    if (indices.has(index)) return false;
    known.set(region, indices.add(index));
    return true;
  });
}

/** The labels outside of a loop that branches in it go to. */
function exitsOf(loop: LoopItem): string[] {
  const inside = labelsIn(loop);
  return [...targetsIn(loop.body)].filter((label) => !inside.has(label));
}
