/**
 * Makes loops natural: code that stands in a loop and never leads back to its head is put behind the loop.
 *
 *     (loop $L (br_table $found $next ...)                          (loop $L (br_table $found $next ...)
 *       label $found; (call $f); (br $end)          becomes           label $next; (br $L))
 *       label $next; (br $L))                                       label $found; (call $f); (br $end)
 *
 * Optimisers leave such code in loops where they turn branches into nested blocks: in `printf` what follows a text is in the
 * loop that looks for its end. There it makes a search a loop with points inside, which can neither count in a local nor poll
 * where an iteration ends, and makes the way to these points lead through the loop's head. That branches go to the ends of
 * blocks, wherever these begin, is what makes moving code as easy as this.
 *
 * Only loops are changed that have stable points in such code: the others are left to engines, which know what is in a loop.
 */

import type { Maker } from '../ir/make.js';
import { endsOpen, type Item, type LoopItem, pointsIn, type Region, regionsIn, targetsIn } from './linear-code.js';

export function makeLoopsNatural(region: Region, make: Maker): void {
  new NaturalLoops(make).visit(region);
}

class NaturalLoops {
  readonly #make: Maker;
  #labels = 0;

  constructor(make: Maker) {
    this.#make = make;
  }

  visit(region: Region): void {
    // From its end, so that what is put behind a loop is not visited again.
    for (let index = region.length - 1; index >= 0; index--) {
      const item = region[index];
      if (item === undefined) continue;
      for (const inner of regionsIn(item)) this.visit(inner);
      if (item.kind === 'loop') region.splice(index + 1, 0, ...this.#takeOut(item));
    }
  }

  /** Takes out of a loop what never leads back to its head. @returns what takes its place behind the loop */
  #takeOut(loop: LoopItem): Item[] {
    if (pointsIn(loop.body).length === 0) return [];
    const leadsBack = findWaysBack(loop);
    const isBeyond = (_: Item, index: number): boolean => leadsBack[index] === false;
    if (leadsBack[0] === false || pointsIn(loop.body.filter(isBeyond)).length === 0) return [];

    const stays: Item[] = [];
    const beyond: Item[] = [];
    for (const [index, item] of loop.body.entries()) {
      if (leadsBack[index]) {
        stays.push(item);
        continue;
      }
      if (leadsBack[index - 1] && endsOpen(stays)) {
        const name = this.#newLabel();
        stays.push(this.#branchTo(name));
        beyond.push({ kind: 'label', name });
      }
      beyond.push(item);
    }
    loop.body.splice(0, loop.body.length, ...stays);
    if (!endsOpen(stays)) return beyond;
    const over = this.#newLabel();
    return [this.#branchTo(over), ...beyond, { kind: 'label', name: over }];
  }

  #branchTo(name: string): Item {
    return { kind: 'statement', expr: this.#make.br(name) };
  }

  #newLabel(): string {
    this.#labels += 1;
    return `mvvm.beyond.${this.#labels}`;
  }
}

/** For each item of a loop's body, whether control may come from there to the loop's head without leaving the loop. */
function findWaysBack({ name, body }: LoopItem): boolean[] {
  const labels = new Set([name]);
  const found: boolean[] = [];
  let follows = false;
  for (const [index, item] of [...body.entries()].reverse()) {
    if (item.kind === 'label') {
      if (follows) labels.add(item.name);
    } else {
      follows = (follows && endsOpen([item])) || [...targetsIn([item])].some((target) => labels.has(target));
    }
    found[index] = follows;
  }
  return found;
}
