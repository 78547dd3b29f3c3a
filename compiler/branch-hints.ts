/**
 * Tells engines which branches are rarely taken: the standard section `metadata.code.branch_hint`. An engine that knows it
 * keeps what is behind such a branch out of the way of the code that runs all the time, above all when it assigns registers;
 * one that does not know it skips it.
 *
 * Binaryen has no way to say so, so the branches are found in the finished bytes. Rare are
 *
 *     (global.get $mvvm.unwinding) (if ...)             also `br_if`, and the other globals that are zero on the normal path
 *     <condition> (if (then ... (call $mvvm.fire ...))) a branch to code that calls a function of the slow path before it
 *     <condition> (br_if $exit) (call $mvvm.fire ...)   branches again, or one around such code
 */

import { eachSection, importKinds, readImports, readInstructions, sectionIds, slowPath } from '../passes/index.js';
import { ByteReader, ByteWriter, MalformedBytes } from '../runtime/abi/index.js';
import { insertSections, makeCustomSection } from './custom-sections.js';
import { type DecidedBranch, findRareBranches, type RareThings } from './rare-branches.js';

/** Kinds of entries in the name section. */
const nameKinds = { function: 1, global: 7 } as const;
const hintSection = 'metadata.code.branch_hint';

/** `wasm` with hints; as it is where it holds an instruction whose length is not known, or has hints already. */
export function addBranchHints(wasm: Uint8Array): Uint8Array {
  try {
    const { importedFunctions, code, hasHints, rare } = readLayout(wasm);
    if (code === undefined || hasHints) return wasm;
    const found = findHints(code.content, importedFunctions, rare);
    return found.length === 0 ? wasm : insertSections(wasm, code.start, [writeSection(found)]);
  } catch (error) {
    if (error instanceof MalformedBytes) return wasm;
    throw error;
  }
}

interface Layout {
  readonly importedFunctions: number;
  readonly code: { readonly start: number; readonly content: ByteReader } | undefined;
  readonly rare: RareThings;
  readonly hasHints: boolean;
}

function readLayout(wasm: Uint8Array): Layout {
  let importedFunctions = 0;
  let code: Layout['code'];
  let rare: RareThings = { globals: new Set(), functions: new Set() };
  let hasHints = false;
  for (const section of eachSection(wasm)) {
    const { id, start } = section;
    const content = new ByteReader(section.content);
    if (id === sectionIds.import)
      importedFunctions = readImports(content).filter(({ kind }) => kind === importKinds.function).length;
    if (id === sectionIds.code) code = { start, content };
    if (id !== sectionIds.custom) continue;
    const name = content.text();
    if (name === hintSection) hasHints = true;
    if (name === 'name') rare = findRareThings(content);
  }
  return { importedFunctions, code, rare, hasHints };
}

function findRareThings(names: ByteReader): RareThings {
  const globals = new Set<number>();
  const functions = new Set<number>();
  while (names.left > 0) {
    const kind = names.u8();
    const entries = new ByteReader(names.bytes(names.u32()));
    if (kind !== nameKinds.function && kind !== nameKinds.global) continue;
    for (let count = entries.count(2); count > 0; count--) {
      const index = entries.u32();
      const name = entries.text();
      if (kind === nameKinds.global && slowPath.globals.has(name)) globals.add(index);
      if (kind === nameKinds.function && slowPath.functions.has(name)) functions.add(index);
    }
  }
  return { globals, functions };
}

interface FunctionHints {
  /** Index of the function in the module. */
  readonly index: number;
  readonly branches: readonly DecidedBranch[];
}

function findHints(code: ByteReader, firstIndex: number, rare: RareThings): FunctionHints[] {
  const found: FunctionHints[] = [];
  const count = code.count();
  for (let n = 0; n < count; n++) {
    const instructions = [...readInstructions(new ByteReader(code.bytes(code.u32())))];
    const branches = findRareBranches(instructions, rare);
    if (branches.length > 0) found.push({ index: firstIndex + n, branches });
  }
  return found;
}

function writeSection(functions: readonly FunctionHints[]): Uint8Array {
  const content = new ByteWriter();
  content.list(functions, ({ index, branches }) => {
    content.u32(index).list(branches, ({ offset, likely }) =>
      content
        .u32(offset)
        .u32(1)
        .u8(likely ? 1 : 0),
    );
  });
  return makeCustomSection(hintSection, content.finish());
}
