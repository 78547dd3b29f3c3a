/** What Binaryen reads and does not tell, or not well: what a module imports and exports, its memories, their names. */

import { ByteReader } from '../../runtime/abi/index.js';

export interface ImportName {
  readonly module: string;
  readonly base: string;
}

export interface BinaryFacts {
  readonly imports: readonly ImportName[];
  readonly exports: readonly string[];
  /** Imported ones included. */
  readonly memoryCount: number;
  readonly importedMemories: number;
  readonly importedFunctions: number;
  /** The names that the name section gives memories, by index. */
  readonly memoryNames: ReadonlyMap<number, string>;
}

const headerSize = 8;
const sectionIds = { custom: 0, import: 2, memory: 5, export: 7 } as const;
const memoryNames = 6;

/** What can be read of `bytes`; damaged sections count as absent, Binaryen itself refuses them. */
export function readBinaryFacts(bytes: Uint8Array): BinaryFacts {
  const imports: Import[] = [];
  const exports: string[] = [];
  let memoryCount = 0;
  let memoryNames: ReadonlyMap<number, string> = new Map();
  try {
    const module = new ByteReader(bytes);
    module.bytes(headerSize);
    while (module.left > 0) {
      const id = module.u8();
      const section = new ByteReader(module.bytes(module.u32()));
      if (id === sectionIds.import) imports.push(...section.list(() => readImport(section), 4));
      if (id === sectionIds.export) exports.push(...section.list(() => readExport(section), 3));
      if (id === sectionIds.memory) memoryCount += section.u32();
      if (id === sectionIds.custom && section.text() === 'name') memoryNames = readMemoryNames(section);
    }
  } catch {
    // What was found until here is all there is.
  }
  const importedMemories = imports.filter(({ kind }) => kind === memoryKind).length;
  const importedFunctions = imports.filter(({ kind }) => kind === functionKind).length;
  return {
    imports,
    exports,
    memoryCount: memoryCount + importedMemories,
    importedMemories,
    importedFunctions,
    memoryNames,
  };
}

interface Import extends ImportName {
  readonly kind: number;
}

function readImport(section: ByteReader): Import {
  const found = { module: section.text(), base: section.text(), kind: section.u8() };
  skipImportType(section, found.kind);
  return found;
}

function readExport(section: ByteReader): string {
  const name = section.text();
  section.u8();
  section.u32();
  return name;
}

const functionKind = 0;
const memoryKind = 2;

/** Kinds: 0 function, 1 table, 2 memory, 3 global, 4 tag. */
function skipImportType(section: ByteReader, kind: number): void {
  if (kind === 1 || kind === 3 || kind === 4) section.u8();
  if (kind === 0 || kind === 4) section.u32();
  if (kind === 3) section.u8();
  if (kind === 1 || kind === 2) {
    const hasMaximum = (section.u8() & 1) !== 0;
    skipNumber(section);
    if (hasMaximum) skipNumber(section);
  }
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
