/**
 * Tells engines which branches are rarely taken: the standard section `metadata.code.branch_hint`. An engine that knows it
 * keeps what is behind such a branch out of the way of the code that runs all the time, above all when it assigns registers;
 * one that does not know it skips it.
 *
 * Two kinds of branches are rare, recognised in the finished bytes because Binaryen has no way to say so:
 *
 *     (global.get $mvvm.unwinding) (if ...)       and the same for mvvm.entering and mvvm.resume, with `if` or `br_if`
 *     (i32.const 1) (i32.sub) (local.tee $c) (i32.eqz) (if ...)          a counter that has come to zero
 *
 * The second may be the program's own: coming to zero is rare there, too.
 */

import { readBinaryFacts } from '../passes/index.js';
import { ByteReader, ByteWriter, MalformedBytes } from '../runtime/abi/index.js';
import { type Instruction, opcodes, readInstructions } from './instruction-reader.js';

const headerSize = 8;
const sectionIds = { custom: 0, code: 10 } as const;
/** In the name section: names of globals. */
const globalNames = 7;
const hintSection = 'metadata.code.branch_hint';
const unlikely = 0;
/** Globals that are zero unless frames leave or come back. */
const rareGlobals: ReadonlySet<string> = new Set(['mvvm.unwinding', 'mvvm.entering', 'mvvm.resume']);

/** `wasm` with hints; as it is where it holds an instruction whose length is not known, or has hints already. */
export function addBranchHints(wasm: Uint8Array): Uint8Array {
  try {
    const layout = readLayout(wasm);
    if (layout.code === undefined || layout.hasHints) return wasm;
    const hints = findHints(layout.code.content, readBinaryFacts(wasm).importedFunctions, layout.rareGlobals);
    return hints.length === 0 ? wasm : insertAt(wasm, layout.code.start, writeSection(hints));
  } catch (error) {
    if (error instanceof MalformedBytes) return wasm;
    throw error;
  }
}

interface Layout {
  readonly code: { readonly start: number; readonly content: ByteReader } | undefined;
  /** Indices of the globals that are rarely not zero. */
  readonly rareGlobals: ReadonlySet<number>;
  readonly hasHints: boolean;
}

function readLayout(wasm: Uint8Array): Layout {
  const module = new ByteReader(wasm);
  module.bytes(headerSize);
  let code: Layout['code'];
  let rareGlobals: ReadonlySet<number> = new Set();
  let hasHints = false;
  while (module.left > 0) {
    const start = wasm.length - module.left;
    const id = module.u8();
    const content = new ByteReader(module.bytes(module.u32()));
    if (id === sectionIds.code) code = { start, content };
    if (id !== sectionIds.custom) continue;
    const name = content.text();
    if (name === hintSection) hasHints = true;
    if (name === 'name') rareGlobals = findRareGlobals(content);
  }
  return { code, rareGlobals, hasHints };
}

function findRareGlobals(names: ByteReader): ReadonlySet<number> {
  const found = new Set<number>();
  while (names.left > 0) {
    const kind = names.u8();
    const entries = new ByteReader(names.bytes(names.u32()));
    if (kind !== globalNames) continue;
    for (let count = entries.count(2); count > 0; count--) {
      const index = entries.u32();
      if (rareGlobals.has(entries.text())) found.add(index);
    }
  }
  return found;
}

interface FunctionHints {
  /** Index of the function in the module. */
  readonly index: number;
  /** Where the rare branches are, in bytes from the begin of the function's local declarations. */
  readonly offsets: readonly number[];
}

function findHints(code: ByteReader, firstIndex: number, rare: ReadonlySet<number>): FunctionHints[] {
  const found: FunctionHints[] = [];
  const count = code.count();
  for (let n = 0; n < count; n++) {
    const offsets = findRareBranches(new ByteReader(code.bytes(code.u32())), rare);
    if (offsets.length > 0) found.push({ index: firstIndex + n, offsets });
  }
  return found;
}

function findRareBranches(body: ByteReader, rare: ReadonlySet<number>): number[] {
  const offsets: number[] = [];
  let before: readonly Instruction[] = [];
  for (const instruction of readInstructions(body)) {
    const { opcode, offset } = instruction;
    if ((opcode === opcodes.if || opcode === opcodes.brIf) && isRare(before, rare)) offsets.push(offset);
    before = [instruction, ...before.slice(0, 4)];
  }
  return offsets;
}

/** What stands before a branch on a counter that has come to zero, the nearest first. */
const countdowns: readonly (readonly number[])[] = [
  [opcodes.i32Eqz, opcodes.localTee, opcodes.i32Sub, opcodes.i32Const],
  // The counter is a global, and goes there by way of a local.
  [opcodes.i32Eqz, opcodes.localGet, opcodes.globalSet, opcodes.localTee, opcodes.i32Sub],
];

/** @param before the instructions before the branch, the nearest first */
function isRare(before: readonly Instruction[], rare: ReadonlySet<number>): boolean {
  const [condition] = before;
  if (condition?.opcode === opcodes.globalGet) return rare.has(condition.operand);
  return countdowns.some((countdown) =>
    countdown.every((opcode, index) => {
      const instruction = before[index];
      return instruction?.opcode === opcode && (opcode !== opcodes.i32Const || instruction.operand === 1);
    }),
  );
}

function writeSection(hints: readonly FunctionHints[]): Uint8Array {
  const content = new ByteWriter().text(hintSection);
  content.list(hints, ({ index, offsets }) => {
    content.u32(index).list(offsets, (offset) => content.u32(offset).u32(1).u8(unlikely));
  });
  const bytes = content.finish();
  return new ByteWriter().u8(sectionIds.custom).u32(bytes.length).bytes(bytes).finish();
}

function insertAt(wasm: Uint8Array, at: number, section: Uint8Array): Uint8Array {
  const result = new Uint8Array(wasm.length + section.length);
  result.set(wasm.subarray(0, at));
  result.set(section, at);
  result.set(wasm.subarray(at), at + section.length);
  return result;
}
