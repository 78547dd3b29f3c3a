/** The frames of a stopped guest, as they are among its words (docs/abi.md, "The stream"). */

import { findPoint, isReference, type Slot, type StableMap, wordsOf } from '../abi/index.js';
import { badState, EngineError } from './errors.js';
import { isHeld } from './references.js';

/** Number of frames and counter of the gate, on top of everything else. */
const HEADER_WORDS = 2;

/** What all frames at one stable point have in common. */
interface FrameShape {
  /** Words of the slots, below the point's number. */
  readonly words: number;
  /** Which of these belong to slots that are dead at the point, by their distance from the point's number. */
  readonly dead: readonly number[];
}

export class Frames {
  readonly #map: StableMap;
  /** By point, for those that were met: a program has many, and stops at few. */
  readonly #shapes = new Map<number, FrameShape>();

  constructor(map: StableMap) {
    this.#map = map;
  }

  /**
   * Sets the dead slots to zero: the module pushes whatever they hold, and neither a secret that the program has done
   * with nor what depends on the way it came here belongs in a snapshot. Linear in the words.
   *
   * @param words bottom first, as a guest that has just left has pushed them
   * @returns the stable point at which the innermost frame stopped
   * @throws {EngineError} `bad-state` when the words do not fit the map
   */
  clearDead(words: Uint32Array): number {
    const { globals, droppableSegments } = this.#map;
    let top = words.length - HEADER_WORDS - countWords(globals) - droppableSegments.length - 1;
    let innermost: number | undefined;
    while (top >= 0) {
      innermost = words[top] ?? 0;
      const shape = this.#shapeAt(innermost);
      if (shape.words > top) break;
      for (const distance of shape.dead) words[top - distance] = 0;
      top -= 1 + shape.words;
    }
    if (top !== -1 || innermost === undefined) throw new EngineError(badState('its frames end in the middle of one'));
    return innermost;
  }

  /**
   * Why what was pushed cannot be kept: the first reference in it that nobody can name, outermost frame first.
   * @param words as {@link clearDead} has left them
   */
  findHeld(words: Uint32Array): string | undefined {
    const { globals, droppableSegments } = this.#map;
    let top = words.length - HEADER_WORDS;
    const next = (): number => words[--top] ?? 0;
    const findIn = (slots: readonly Slot[]): Slot | undefined => {
      let found: Slot | undefined;
      for (const slot of slots) {
        for (let word = 0; word < wordsOf[slot.type]; word++) {
          if (isHeld(next()) && isReference(slot.type)) found ??= slot;
        }
      }
      return found;
    };
    const what = 'a reference to something outside the module';
    const global = findIn(globals);
    if (global !== undefined) return `global ${global.name} holds ${what}`;
    top -= droppableSegments.length;
    while (top > 0) {
      const fn = findPoint(this.#map, next())?.fn;
      if (fn === undefined) return undefined;
      const slot = findIn(fn.slots);
      if (slot !== undefined) return `${slot.name} of ${fn.name} holds ${what}`;
    }
    return undefined;
  }

  /** Why a frame at this point cannot leave. */
  holdsException(point: number): string {
    const name = findPoint(this.#map, point)?.fn.name ?? 'a function';
    return `${name} is handling an exception that comes from outside the module`;
  }

  #shapeAt(point: number): FrameShape {
    const known = this.#shapes.get(point);
    if (known !== undefined) return known;
    const found = findPoint(this.#map, point);
    if (found === undefined) throw new EngineError(badState(`it names stable point ${point}, which does not exist`));
    const live = new Set(found.info.live);
    const dead: number[] = [];
    let words = 0;
    for (const [index, { type }] of found.fn.slots.entries()) {
      for (let word = 0; word < wordsOf[type]; word++) {
        words += 1;
        if (!live.has(index)) dead.push(words);
      }
    }
    const shape = { words, dead };
    this.#shapes.set(point, shape);
    return shape;
  }
}

function countWords(slots: readonly Slot[]): number {
  return slots.reduce((sum, slot) => sum + wordsOf[slot.type], 0);
}
