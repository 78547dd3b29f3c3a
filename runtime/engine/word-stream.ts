/**
 * The stream of docs/abi.md: a stack of 32-bit words on which a guest puts its frames when it leaves and from which
 * it takes them when it comes back.
 */

import { badState, EngineError } from './errors.js';

/** 2^28 words are 1 GiB, far beyond any stack that could be re-entered: a guard against a run-away module. */
const MOST_WORDS = 2 ** 28;

export class WordStream {
  #words: Uint32Array = new Uint32Array(1024);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(word: number): void {
    if (this.#length === this.#words.length) this.#reserve(this.#length * 2);
    this.#words[this.#length++] = word;
  }

  /** @throws {EngineError} `bad-state` when nothing is left: the frames and the module do not fit */
  pop(): number {
    const word = this.#words[this.#length - 1];
    if (this.#length === 0 || word === undefined) {
      throw new EngineError(badState('it has fewer words than its frames need'));
    }
    this.#length -= 1;
    return word | 0;
  }

  /** All words, the one pushed first in front, and leaves the stream empty. */
  take(): Uint32Array {
    const words = this.#words.slice(0, this.#length);
    this.#length = 0;
    return words;
  }

  /** Puts words in the order of {@link take} on an empty stream. */
  put(words: Uint32Array): void {
    this.#length = 0;
    this.#reserve(words.length);
    this.#words.set(words);
    this.#length = words.length;
  }

  #reserve(capacity: number): void {
    if (capacity > MOST_WORDS) throw new EngineError(badState(`its call stack takes more than ${MOST_WORDS} words`));
    if (capacity <= this.#words.length) return;
    const larger = new Uint32Array(capacity);
    larger.set(this.#words.subarray(0, this.#length));
    this.#words = larger;
  }
}
