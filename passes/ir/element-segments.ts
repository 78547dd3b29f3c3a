/** The element segments of a module. */

import { api, asExpr, type Elements, type Expr, elementsOf, rawFunction } from './binaryen.js';

const isPassive = rawFunction('ElementSegmentIsPassive');
const offsetOf = rawFunction('ElementSegmentGetOffset');

/** They take elements that are neither functions nor null for null: calls of them for traps, their segments for unused. */
const unsoundPasses: readonly string[] = ['directize', 'remove-unused-module-elements'];

export class ElementSegments {
  readonly #module: number;
  #unsoundPasses: readonly string[] | undefined;

  /** @param module Binaryen's reference of it */
  constructor(module: number) {
    this.#module = module;
  }

  #all(): number[] {
    const count = api._BinaryenGetNumElementSegments(this.#module);
    return Array.from({ length: count }, (_, index) => api._BinaryenGetElementSegmentByIndex(this.#module, index));
  }

  #elements(): Elements[] {
    return this.#all().map(elementsOf);
  }

  /** The functions named in them, each once, in order. */
  functions(): string[] {
    return [...new Set(this.#elements().flatMap(({ names }) => names))].filter((name) => name !== '');
  }

  /** Whether one has something else in it than functions. */
  get haveNulls(): boolean {
    return this.#elements().some(({ names }) => names.includes(''));
  }

  /** Whether one is not copied when the module is instantiated. */
  get somePassive(): boolean {
    return this.#all().some((segment) => isPassive(segment) !== 0);
  }

  /** Where those begin that are copied when the module is instantiated. */
  offsets(): Expr[] {
    const active = this.#all().filter((segment) => isPassive(segment) === 0);
    return active.map((segment) => asExpr(offsetOf(segment)));
  }

  /** Passes of Binaryen's that would break them. What they have in them stays as it is, so it is looked at once. */
  get unsoundPasses(): readonly string[] {
    this.#unsoundPasses ??= this.#elements().some(({ hasOthers }) => hasOthers) ? unsoundPasses : [];
    return this.#unsoundPasses;
  }
}
