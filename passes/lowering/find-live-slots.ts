/** Finds for each stable point of linear code the locals that are needed after resuming there. */

import { Liveness } from '../ir/liveness.js';
import type { LocalSet } from '../ir/local-set.js';
import type { Item, LinearFunction, Region } from './linear-code.js';

/**
 * Sets `live` of every point of `fn`.
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
    case 'loop': {
      regionBefore(item.body, live, liveness);
      liveness.atLoopHead(item.name, live);
      // Resuming at the loop's own point enters it by its head, like falling into it does.
      if (item.point !== undefined) item.point.live = live.clone();
      return;
    }
    case 'call': {
      if (item.result !== undefined) live.delete(item.result);
      // A frame that waits for its callee needs what comes after the call; resuming calls again with any operands.
      if (item.point.kind === 'call') item.point.live = live.clone();
      liveness.before(item.call, live);
      if (item.point.kind === 'host') item.point.live = live.clone();
      return;
    }
  }
}
