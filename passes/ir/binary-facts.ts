/** What Binaryen reads and does not tell, or not well: what a module imports and exports, its memories, their names. */

import { ByteReader } from '../../runtime/abi/index.js';
import { skipExpression, skipType } from './instruction-reader.js';
import { eachSection, sectionIds } from './sections.js';

export interface ImportName {
  readonly module: string;
  readonly base: string;
}

export interface BinaryFacts {
  readonly imports: readonly ImportName[];
  readonly exports: readonly string[];
  /** Whether a table has 64-bit addresses. */
  readonly hasTable64: boolean;
  /** Imported ones included. */
  readonly memoryCount: number;
  readonly importedMemories: number;
  /** The names that the name section gives memories, by index. */
  readonly memoryNames: ReadonlyMap<number, string>;
}

const memoryNames = 6;

/** What can be read of `bytes`; damaged sections count as absent, Binaryen itself refuses them. */
export function readBinaryFacts(bytes: Uint8Array): BinaryFacts {
  const imports: Import[] = [];
  const exports: string[] = [];
  let memoryCount = 0;
  let hasTable64 = false;
  let memoryNames: ReadonlyMap<number, string> = new Map();
  try {
    for (const { id, content } of eachSection(bytes)) {
      const section = new ByteReader(content);
      if (id === sectionIds.import) imports.push(...readImports(section));
      if (id === sectionIds.export) exports.push(...section.list(() => readExport(section), 3));
      if (id === sectionIds.table) hasTable64 = section.list(() => readTable(section), 3).some((is64) => is64);
      if (id === sectionIds.memory) memoryCount += section.u32();
      if (id === sectionIds.custom && section.text() === 'name') memoryNames = readMemoryNames(section);
    }
  } catch {
    // What was found until here is all there is.
  }
  const importedMemories = imports.filter(({ kind }) => kind === importKinds.memory).length;
  return {
    imports,
    exports,
    hasTable64: hasTable64 || imports.some(({ kind, is64 }) => kind === importKinds.table && is64),
    memoryCount: memoryCount + importedMemories,
    importedMemories,
    memoryNames,
  };
}

export interface Import extends ImportName {
  readonly kind: number;
  /** Index of the type of a function or tag; -1 of other things. */
  readonly type: number;
  /** Whether a table or memory has 64-bit addresses. */
  readonly is64: boolean;
}

export const importKinds = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;

/** @throws {MalformedBytes} */
export function readImports(section: ByteReader): Import[] {
  return section.list(() => {
    const [module, base, kind] = [section.text(), section.text(), section.u8()];
    return { module, base, kind, ...readImportType(section, kind) };
  }, 4);
}

function readExport(section: ByteReader): string {
  const name = section.text();
  section.u8();
  section.u32();
  return name;
}

export function readImportType(section: ByteReader, kind: number): Pick<Import, 'type' | 'is64'> {
  if (kind === importKinds.tag) section.u8();
  if (kind === importKinds.function || kind === importKinds.tag) return { type: section.u32(), is64: false };
  if (kind === importKinds.table || kind === importKinds.global) skipType(section);
  if (kind === importKinds.global) section.u8();
  const hasLimits = kind === importKinds.table || kind === importKinds.memory;
  return { type: -1, is64: hasLimits && readLimits(section) };
}

/** @returns whether addresses have 64 bits */
function readLimits(section: ByteReader): boolean {
  const flags = section.u8();
  skipNumber(section);
  if ((flags & 1) !== 0) skipNumber(section);
  return (flags & 4) !== 0;
}

const withInitialValue = 0x40;

/** A table of the module's own. @returns whether its addresses have 64 bits */
function readTable(section: ByteReader): boolean {
  const hasValue = section.rest()[0] === withInitialValue;
  if (hasValue) section.bytes(2);
  skipType(section);
  const is64 = readLimits(section);
  if (hasValue) skipExpression(section);
  return is64;
}

/** Any LEB128 number: limits of 64-bit memories are larger than others. */
function skipNumber(section: ByteReader): void {
  while (section.u8() >= 0x80);
}

function readMemoryNames(section: ByteReader): ReadonlyMap<number, string> {
  while (section.left > 0) {
    const kind = section.u8();
    const names = new ByteReader(section.bytes(section.u32()));
    if (kind !== memoryNames) continue;
    const entries = names.list(() => ({ index: names.u32(), name: names.text() }), 2);
    return new Map(entries.map(({ index, name }) => [index, name]));
  }
  return new Map();
}
