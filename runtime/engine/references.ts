/**
 * References as words of a snapshot: what docs/abi.md calls the number of a reference.
 *
 *     0           null
 *     n + 1       the function that is exported as `mvvm.func.n`
 *     -1 - n      what the host calls number n
 *     2^30 + n    while a guest is leaving: what nobody can name, or need name, kept here for when the guest comes back
 */

import { badState, EngineError } from './errors.js';

/** How a host that lends the guest references of its own (objects, functions) makes them survive a checkpoint. */
export interface HostReferences {
  /** The number, from 0, by which the host will know this value again; undefined when it will not. */
  readonly numberOf: (value: unknown) => number | undefined;
  /** The value with this number; undefined when there is none. */
  readonly valueOf: (number: number) => unknown;
}

export const noHostReferences: HostReferences = { numberOf: () => undefined, valueOf: () => undefined };

/** Stands for an exception from outside the module, which nobody can name. */
export const foreignException: object = Object.freeze({});

const NULL = 0;
const FIRST_HELD = 2 ** 30;

/** Whether a word stands for a reference that cannot be saved. */
export const isHeld = (word: number): boolean => (word | 0) >= FIRST_HELD;

export class References {
  readonly #host: HostReferences;
  /** Those of one attempt to leave. */
  #held: unknown[] = [];
  #asksHost = true;
  #functions: readonly unknown[] = [];
  #wordOf: ReadonlyMap<unknown, number> = new Map();
  /** Tells by an error whether a value is a `funcref`. */
  readonly #probe: WebAssembly.Table = new WebAssembly.Table({ element: 'anyfunc', initial: 1 });

  constructor(host: HostReferences) {
    this.#host = host;
  }

  /** The functions of the instance, by their numbers. */
  bind(functions: readonly unknown[]): void {
    this.#functions = functions;
    // An export of one function under two names is one object; the first number stands for it.
    this.#wordOf = new Map(functions.map((fn, index): [unknown, number] => [fn, index + 1]).reverse());
  }

  /** Whether something was met since {@link leave} that cannot be saved. */
  get holdsSome(): boolean {
    return this.#held.length > 0;
  }

  /**
   * Frames begin to leave. Only those that are saved need the host's numbers: what a number stands for later may be another
   * object to the program, and those that come back at once get the very things that they had.
   */
  leave(why: 'to be saved' | 'to come back'): void {
    this.#held = [];
    this.#asksHost = why === 'to be saved';
  }

  /** The word of a reference that can be saved. */
  savable(value: unknown): number | undefined {
    const own = this.#own(value);
    if (own !== undefined || value === foreignException) return own;
    const number = this.#host.numberOf(value);
    return number === undefined ? undefined : -1 - number;
  }

  toWord(value: unknown): number {
    const word = this.#asksHost ? this.savable(value) : this.#own(value);
    return word ?? FIRST_HELD + this.#held.push(value) - 1;
  }

  /** Whether it is a `funcref` to another module's function. */
  isForeignFunction(value: unknown): boolean {
    return typeof value === 'function' && this.#own(value) === undefined && this.#isFuncref(value);
  }

  /** @throws {EngineError} `bad-state` when there is no such reference */
  toExternref(given: number): unknown {
    const word = given | 0;
    if (word === NULL) return null;
    if (isHeld(word) && word - FIRST_HELD < this.#held.length) return this.#held[word - FIRST_HELD];
    const value = word < 0 ? this.#host.valueOf(-1 - word) : this.#functions[word - 1];
    if (value !== undefined) return value;
    const what = word < 0 ? `number ${-1 - word} of the host, which has none` : `function ${word - 1}, which is none`;
    throw new EngineError(badState(`it refers to ${what}`));
  }

  /** @throws {EngineError} `bad-state` also when it is no function of a module */
  toFuncref(word: number): unknown {
    const value = this.toExternref(word);
    if (this.#isFuncref(value)) return value;
    throw new EngineError(badState('it has another reference where a function must be'));
  }

  #own(value: unknown): number | undefined {
    return value === null ? NULL : this.#wordOf.get(value);
  }

  #isFuncref(value: unknown): boolean {
    try {
      this.#probe.set(0, value);
      return true;
    } catch {
      return false;
    }
  }
}
