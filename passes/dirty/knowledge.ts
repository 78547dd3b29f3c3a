/**
 * What is known at a place of a function about addresses that were marked since the last stable point: stores within reach
 * of such a mark need none of their own. Forward over the code; where ways meet, what holds on all of them is left.
 */

import { WIDEST } from './accesses.js';
import { REACH } from './regions.js';
import { keyOf, plus, type Sum } from './sums.js';

interface Marked {
  readonly terms: Sum['terms'];
  /** Of the addresses marked, which are accessed for certain. */
  readonly constants: readonly number[];
}

export class Knowledge {
  readonly #sums: Map<number, Sum>;
  #marked: Map<string, Marked>;

  constructor(sums: ReadonlyMap<number, Sum> = new Map(), marked: ReadonlyMap<string, Marked> = new Map()) {
    this.#sums = new Map(sums);
    this.#marked = new Map(marked);
  }

  clone(): Knowledge {
    return new Knowledge(this.#sums, this.#marked);
  }

  /** What a local is known to hold. */
  readonly sumIn = (local: number): Sum | undefined => this.#sums.get(local);

  /** Whether a store to this address is within reach of a mark. */
  covers(address: Sum): boolean {
    const constants = this.#marked.get(keyOf(address))?.constants ?? [];
    return constants.some((marked) => {
      const distance = (address.constant - marked) | 0;
      return distance >= 0 && distance + WIDEST <= REACH;
    });
  }

  mark(address: Sum): void {
    const key = keyOf(address);
    const constants = this.#marked.get(key)?.constants ?? [];
    this.#marked.set(key, { terms: address.terms, constants: [...constants, address.constant] });
  }

  /** A checkpoint may have been taken: nothing is marked any more. */
  passPoint(): void {
    this.#marked.clear();
  }

  /**
   * A local is assigned.
   * @param sum the value in terms of what locals held before, where it is a sum
   */
  assign(local: number, sum: Sum | undefined): void {
    // `p = p + c`: what was known about p is known about p - c.
    const step = sum?.terms.size === 1 && sum.terms.get(local) === 1 ? sum.constant : undefined;
    const after = (known: Sum): Sum | undefined => {
      const by = known.terms.get(local);
      if (by === undefined) return known;
      return step === undefined ? undefined : plus(known, { constant: step, terms: new Map() }, -by);
    };
    this.#sums.delete(local);
    for (const [other, known] of this.#sums) {
      const now = after(known);
      if (now === undefined) this.#sums.delete(other);
      else this.#sums.set(other, now);
    }
    if (sum !== undefined && !sum.terms.has(local)) this.#sums.set(local, sum);
    for (const [key, { terms, constants }] of this.#marked) {
      if (!terms.has(local)) continue;
      const now = constants.flatMap((constant) => after({ constant, terms })?.constant ?? []);
      if (now.length === 0) this.#marked.delete(key);
      else this.#marked.set(key, { terms, constants: now });
    }
  }

  /** What holds both here and there. */
  meet(other: Knowledge): Knowledge {
    const sums = new Map<number, Sum>();
    for (const [local, sum] of this.#sums) {
      const there = other.#sums.get(local);
      if (there !== undefined && there.constant === sum.constant && keyOf(there) === keyOf(sum)) sums.set(local, sum);
    }
    const marked = new Map<string, Marked>();
    for (const [key, { terms, constants }] of this.#marked) {
      const both = constants.filter((constant) => other.#marked.get(key)?.constants.includes(constant));
      if (both.length > 0) marked.set(key, { terms, constants: both });
    }
    return new Knowledge(sums, marked);
  }
}
