/** Finds for each stable point and each loop of linear code the locals that are needed after resuming there. */

import { Liveness } from '../ir/liveness.js';
import type { LocalSet } from '../ir/local-set.js';
import {
  type Item,
  type LinearFunction,
  localsOf,
  loopsIn,
  pointsIn,
  type Region,
  type TryItem,
} from './linear-code.js';

/**
 * Sets `live` of every point and loop of `fn`.
 * @param localCount number of the function's locals, parameters included
 */
export function findLiveSlots(fn: LinearFunction, localCount: number): void {
  const liveness = new Liveness(localCount);
  liveness.solve(() => {
    const live = liveness.none();
    regionBefore(fn.body, live, liveness);
    fn.entry.live = live.clone();
  });
}

function regionBefore(region: Region, live: LocalSet, liveness: Liveness): void {
  for (let index = region.length - 1; index >= 0; index--) {
    const item = region[index];
    if (item !== undefined) itemBefore(item, live, liveness);
  }
}

function itemBefore(item: Item, live: LocalSet, liveness: Liveness): void {
  switch (item.kind) {
    case 'statement':
      liveness.before(item.expr, live);
      return;
    case 'label':
      liveness.atBlockEnd(item.name, live);
      return;
    case 'poll':
      item.point.live = live.clone();
      return;
    case 'landing':
      item.live = live.clone();
      return;
    case 'loop': {
      regionBefore(item.body, live, liveness);
      liveness.atLoopHead(item.name, live);
      item.live = live.clone();
      // Resuming at the loop's own point enters it by its head, like falling into it does.
      if (item.point !== undefined) item.point.live = live.clone();
      return;
    }
    case 'try':
      tryBefore(item, live, liveness);
      return;
    case 'call': {
      if (item.result !== undefined) live.delete(item.result);
      // A frame that waits for its callee needs what comes after the call; resuming calls again with any operands.
      if (item.point.kind === 'call') {
        liveness.throwing(live);
        item.point.live = live.clone();
      }
      liveness.before(item.call, live);
      if (item.point.kind === 'host') item.point.live = live.clone();
      return;
    }
  }
}

function tryBefore(item: TryItem, live: LocalSet, liveness: Liveness): void {
  const handled = liveness.none();
  for (const { body, payload, held } of item.clauses) {
    const clause = live.clone();
    regionBefore(body, clause, liveness);
    if (payload !== undefined) clause.delete(payload);
    handled.addAll(clause);
    // A frame comes back into a clause by throwing the exception again.
    if (held !== undefined) keepAlive(localsOf(held), body);
  }
  liveness.inTry(handled, () => regionBefore(item.body, live, liveness));
}

/** Nowhere in a region is one of these locals to be taken for dead: not at its points, and not at loops on the way to them. */
function keepAlive(locals: readonly number[], region: Region): void {
  for (const local of locals) {
    for (const point of pointsIn(region)) point.live.add(local);
    for (const loop of loopsIn(region)) loop.live.add(local);
  }
}
