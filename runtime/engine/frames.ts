/** Where a guest stopped, from its words: the point of the innermost frame. */

import { findPoint, type Slot, type StableMap, wordsOf } from '../abi/index.js';
import { badState, EngineError } from './errors.js';

/** Number of frames and counter of the gate, on top of everything else. */
const HEADER_WORDS = 2;

/**
 * The stable point at which the innermost frame stopped. It makes nothing of the frames, which may be a million; who
 * wants to see them uses `validateFrames`.
 *
 * @throws {EngineError} `bad-state` when the words do not fit the map
 */
export function findInnermostPoint(words: Uint32Array, map: StableMap): number {
  const sizes = new Map(map.functions.map((fn) => [fn, countWords(fn.slots)]));
  let left = words.length - HEADER_WORDS - countWords(map.globals) - map.droppableSegments.length;
  let innermost: number | undefined;
  while (left > 0) {
    innermost = words[left - 1];
    const found = innermost === undefined ? undefined : findPoint(map, innermost);
    if (found === undefined)
      throw new EngineError(badState(`it names stable point ${innermost}, which does not exist`));
    left -= 1 + (sizes.get(found.fn) ?? 0);
  }
  if (left < 0 || innermost === undefined) throw new EngineError(badState('its frames end in the middle of one'));
  return innermost;
}

function countWords(slots: readonly Slot[]): number {
  return slots.reduce((sum, slot) => sum + wordsOf[slot.type], 0);
}
