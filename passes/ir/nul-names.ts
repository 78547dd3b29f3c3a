/**
 * Names of imports and exports with a NUL character, which Binaryen's interface takes for the end of a name: other names
 * stand for them inside.
 */

import { ByteReader, ByteWriter } from '../../runtime/abi/index.js';
import { type BinaryFacts, readImportType } from './binary-facts.js';
import { joinBytes, readSections, type Section, sectionIds, writeSections } from './sections.js';

export class NulNames {
  readonly #inside = new Map<string, string>();
  readonly #outside = new Map<string, string>();

  /** @param facts of the module whose names they are */
  constructor({ imports, exports }: Pick<BinaryFacts, 'imports' | 'exports'>) {
    const all = new Set([...imports.flatMap(({ module, base }) => [module, base]), ...exports]);
    for (const name of all) {
      if (!name.includes('\0')) continue;
      let standIn = name.replaceAll('\0', '\\0');
      while (all.has(standIn)) standIn = `${standIn}'`;
      all.add(standIn);
      this.#inside.set(name, standIn);
      this.#outside.set(standIn, name);
    }
  }

  get areThere(): boolean {
    return this.#inside.size > 0;
  }

  /** The name that the host knows. */
  outside(name: string): string {
    return this.#outside.get(name) ?? name;
  }

  /** The bytes of the module with names that Binaryen's interface can tell. */
  hide(module: Uint8Array): Uint8Array {
    return this.areThere ? renamed(module, (name) => this.#inside.get(name) ?? name) : module;
  }

  /** The way back. */
  show(module: Uint8Array): Uint8Array {
    return this.areThere ? renamed(module, (name) => this.outside(name)) : module;
  }
}

/** A module with other names of imports and exports. */
function renamed(module: Uint8Array, rename: (name: string) => string): Uint8Array {
  const sections = readSections(module).map(({ id, content }): Section => {
    const reader = new ByteReader(content);
    if (id !== sectionIds.import && id !== sectionIds.export) return { id, content };
    const count = reader.u32();
    const parts = [new ByteWriter().u32(count).finish()];
    const rest = id === sectionIds.import ? skipImport : skipExport;
    for (let n = 0; n < count; n++) {
      const names = new ByteWriter().text(rename(reader.text()));
      if (id === sectionIds.import) names.text(rename(reader.text()));
      const after = reader.rest();
      rest(reader);
      parts.push(names.finish(), after.subarray(0, after.length - reader.left));
    }
    return { id, content: joinBytes(parts) };
  });
  return writeSections(sections);
}

function skipImport(reader: ByteReader): void {
  readImportType(reader, reader.u8());
}

function skipExport(reader: ByteReader): void {
  reader.u8();
  reader.u32();
}
