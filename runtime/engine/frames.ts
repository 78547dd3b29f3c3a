/**
 * Reads the words of a stopped guest with the stable map in hand: the module's own state and its call stack.
 * For showing them to a person and for naming the point where a guest stopped; it believes no length.
 */

import { type FunctionInfo, findPoint, type PointInfo, type Slot, type StableMap, wordsOf } from '../abi/index.js';
import { badState, EngineError } from './errors.js';

/** A slot or a global, its bits as words, low word first. */
export interface SavedValue {
  readonly slot: Slot;
  readonly words: readonly number[];
  /** False for a slot that the point does not save: its words mean nothing. */
  readonly live: boolean;
}

export interface SavedFrame {
  readonly point: number;
  readonly fn: FunctionInfo;
  readonly info: PointInfo;
  readonly values: readonly SavedValue[];
}

export interface SavedStack {
  /** Iterations that the counted gate has counted since it opened last. */
  readonly gate: number;
  readonly globals: readonly SavedValue[];
  /** Data segments that the module has dropped, by index. */
  readonly droppedSegments: readonly number[];
  /** Outermost first. */
  readonly frames: readonly SavedFrame[];
}

/**
 * @param words in the order of pushes, as a snapshot has them
 * @throws {EngineError} `bad-state` when they do not fit the map
 */
export function readStack(words: Uint32Array, map: StableMap): SavedStack {
  let at = words.length;
  const pop = (): number => {
    at -= 1;
    const word = words[at];
    if (word === undefined) throw new EngineError(badState('it has fewer words than its frames need'));
    return word;
  };
  const popValue = (slot: Slot, live: boolean): SavedValue => ({
    slot,
    words: Array.from({ length: wordsOf[slot.type] }, pop),
    live,
  });

  const count = pop();
  const gate = pop();
  const globals = map.globals.map((slot) => popValue(slot, true));
  const droppedSegments = map.droppableSegments.filter(() => pop() !== 0);
  const frames: SavedFrame[] = [];
  while (at > 0) {
    const point = pop();
    const found = findPoint(map, point);
    if (found === undefined) throw new EngineError(badState(`it names stable point ${point}, which does not exist`));
    const live = new Set(found.info.live);
    const values = found.fn.slots.map((slot, index) => popValue(slot, live.has(index)));
    frames.push({ point, fn: found.fn, info: found.info, values });
  }
  if (frames.length !== count) {
    throw new EngineError(badState(`it claims ${count} frames and has ${frames.length}`));
  }
  return { gate, globals, droppedSegments, frames };
}
