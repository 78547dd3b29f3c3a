/** The memories of a module. */

import type { BinaryFacts } from './binary-facts.js';
import { api, type BinaryenModule, withoutPrinting } from './binaryen.js';

export class Memories {
  readonly #module: BinaryenModule;
  readonly #facts: Pick<BinaryFacts, 'memoryCount' | 'importedMemories' | 'memoryNames'>;

  /** @param facts of the module as it was read */
  constructor(module: BinaryenModule, facts: BinaryFacts) {
    this.#module = module;
    this.#facts = facts;
  }

  /** Whether there is one. */
  get areThere(): boolean {
    return api._BinaryenHasMemory(this.#module.ptr) !== 0;
  }

  /** Whether there is more than one, or was when the module was read. */
  get areMany(): boolean {
    return this.#facts.memoryCount > 1;
  }

  get someShared(): boolean {
    return this.names().some((name) => this.#module.getMemoryInfo(name).shared);
  }

  /** Whether one has 64-bit addresses. */
  get some64(): boolean {
    return this.names().some((name) => this.#module.getMemoryInfo(name).is64);
  }

  /** Initial size of the only one, in pages of 64 KiB. */
  get pages(): number {
    return this.#module.getMemoryInfo().initial;
  }

  /** Internal names, in index order: those of the name section, or Binaryen's. */
  names(): string[] {
    const { memoryCount, importedMemories, memoryNames } = this.#facts;
    if (!this.areThere) return [];
    const names = Array.from({ length: memoryCount }, (_, index) => {
      const given = index < importedMemories ? `mimport$${index}` : String(index - importedMemories);
      return memoryNames.get(index) ?? given;
    });
    return names.length === 1 ? names : names.filter((name) => this.#knows(name));
  }

  /** An optimisation may have removed a memory that nothing uses; Binaryen tells by an error alone. */
  #knows(name: string): boolean {
    try {
      withoutPrinting(() => this.#module.getMemoryInfo(name));
      return true;
    } catch {
      return false;
    }
  }
}
