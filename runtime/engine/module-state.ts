/** The part of a module's state that the host saves itself: memories and tables that can change. */

import { exports as abiExports, type StableMap } from '../abi/index.js';
import { type MemoryImage, WASM_PAGE } from '../snapshot/index.js';
import { badState, EngineError, memoryLimit, missingExport, notSavable } from './errors.js';
import type { References } from './references.js';
import { TableAccess } from './table-access.js';

/** The memories and tables of one instance, as docs/abi.md says where to find them. */
export class ModuleState {
  readonly memories: readonly WebAssembly.Memory[];
  readonly #tables: readonly TableAccess[];
  readonly #references: References;

  /** @throws {EngineError} `missing-export` */
  constructor(map: StableMap, exports: WebAssembly.Exports, references: References) {
    this.#references = references;
    this.memories = map.memories.map((name) => {
      const memory = exports[name];
      if (memory instanceof WebAssembly.Memory) return memory;
      throw new EngineError(missingExport(name));
    });
    this.#tables = map.tables.map((name) => {
      const table = exports[name];
      if (table instanceof WebAssembly.Table) return new TableAccess(table);
      throw new EngineError(missingExport(name));
    });
    const functions = Array.from({ length: map.referableFunctions }, (_, index) => {
      const name = abiExports.func(index);
      const value = exports[name];
      if (typeof value === 'function') return value;
      throw new EngineError(missingExport(name));
    });
    references.bind(functions);
  }

  /** Views of the memories as they are, not copies: good until the guest goes on. */
  viewMemories(): MemoryImage[] {
    return this.memories.map((memory) => ({
      pages: memory.buffer.byteLength / WASM_PAGE,
      bytes: new Uint8Array(memory.buffer),
    }));
  }

  /**
   * Every table: -1 for null, else indices of `mvvm.func` exports, and below -1 what the host has a number for.
   * @throws {EngineError} `not-savable` when a table holds another reference
   */
  saveTables(): Int32Array[] {
    return this.#tables.map((table, tableIndex) => {
      const elements = new Int32Array(table.length);
      for (let index = 0; index < elements.length; index++) {
        const known = this.#references.savable(table.get(index));
        if (known === undefined) {
          throw new EngineError(
            notSavable(`element ${index} of table ${tableIndex} is a reference to something outside the module`),
          );
        }
        elements[index] = known - 1;
      }
      return elements;
    });
  }

  /** Whether a table holds a function of another module's, which may call the guest back without being an import. */
  get holdsForeignFunction(): boolean {
    return this.#tables.some((table) => table.some((value) => this.#references.isForeignFunction(value)));
  }

  /**
   * Makes a memory as large as it was.
   * @param pages of 64 KiB
   * @returns all of it, with whatever is in it
   * @throws {EngineError} `memory-limit` when it cannot be that large, `bad-state` when it cannot be that small
   */
  sizeMemory(index: number, pages: number): Uint8Array {
    const memory = this.memories[index];
    if (memory === undefined) throw new EngineError(badState(`the module has no memory ${index}`));
    const missing = pages - memory.buffer.byteLength / WASM_PAGE;
    if (missing < 0) throw new EngineError(badState(`memory ${index} is smaller than the module's minimum`));
    try {
      if (missing > 0) growBy(memory, missing);
    } catch {
      throw new EngineError(memoryLimit(index, pages));
    }
    return new Uint8Array(memory.buffer);
  }

  /**
   * Puts memory images back into a fresh instance. Those that are its memories already (they were read in place) stay.
   * @throws {EngineError} as {@link sizeMemory}
   */
  restoreMemories(images: readonly MemoryImage[]): void {
    images.forEach((image, index) => {
      const bytes = this.sizeMemory(index, image.pages);
      if (image.bytes.buffer === bytes.buffer) return;
      // Data segments have filled the fresh memory already: what the image leaves out is zero.
      bytes.set(image.bytes);
      bytes.fill(0, image.bytes.length);
    });
  }

  /** @throws {EngineError} `bad-state` when a table cannot be what the snapshot says */
  restoreTables(saved: readonly Int32Array[]): void {
    this.#tables.forEach((table, tableIndex) => {
      const elements = saved[tableIndex];
      if (elements === undefined) throw new EngineError(badState(`table ${tableIndex} is missing`));
      const values = Array.from(elements, (known) => this.#references.toExternref(known + 1));
      try {
        if (elements.length > table.length) table.grow(elements.length - table.length);
        values.forEach((value, index) => {
          // Most elements are as the module made them, and looking is cheaper than setting.
          if (table.get(index) !== value) table.set(index, value);
        });
      } catch {
        throw new EngineError(badState(`table ${tableIndex} cannot hold its ${elements.length} elements`));
      }
      if (elements.length < table.length) {
        throw new EngineError(badState(`table ${tableIndex} is smaller than the module's minimum`));
      }
    });
  }
}

/** One with 64-bit addresses takes the number as a bigint, and tells only by refusing any other. */
function growBy(memory: WebAssembly.Memory, pages: number): void {
  try {
    memory.grow(pages);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    Reflect.apply(memory.grow, memory, [BigInt(pages)]);
  }
}
