/**
 * The types of a module's exported functions, read from its bytes: JavaScript tells only their names. The module has
 * been accepted by the engine already, so nothing is checked twice.
 */

import { ByteReader, type ExportInfo, type Signature, type SlotType } from '../abi/index.js';

const sectionIds = { type: 1, import: 2, function: 3, export: 7 } as const;
const externKinds = { function: 0, table: 1, memory: 2, global: 3, tag: 4 } as const;
const FUNCTION_TYPE = 0x60;

/** Codes of the value types that an entry can have. */
const valueTypes: ReadonlyMap<number, SlotType> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
]);

/** Exported functions whose parameters and results are numbers or vectors. */
export function readExports(bytes: Uint8Array): ExportInfo[] {
  const sections = readSections(bytes);
  const read = (id: number): ByteReader => new ByteReader(sections.get(id) ?? Uint8Array.of(0));
  const types = readTypes(read(sectionIds.type));
  const own = read(sectionIds.function);
  const functions = [...readImportedFunctions(read(sectionIds.import)), ...own.list(() => own.u32())];

  const input = read(sectionIds.export);
  const all = input.list(() => ({ name: input.text(), kind: input.u8(), index: input.u32() }), 3);
  return all.flatMap(({ name, kind, index }) => {
    if (kind !== externKinds.function) return [];
    const signature = types[functions[index] ?? -1];
    return signature === undefined ? [] : [{ name, signature, function: -1 }];
  });
}

function readSections(bytes: Uint8Array): Map<number, Uint8Array> {
  const sections = new Map<number, Uint8Array>();
  const input = new ByteReader(bytes.subarray(8));
  while (input.left > 0) {
    const id = input.u8();
    sections.set(id, input.bytes(input.u32()));
  }
  return sections;
}

/** By type index; undefined for a function that takes references. From the first type of another form on, nothing. */
function readTypes(input: ByteReader): (Signature | undefined)[] {
  const types: (Signature | undefined)[] = [];
  for (let left = input.u32(); left > 0 && input.u8() === FUNCTION_TYPE; left--) {
    const params = input.list(() => readValueType(input));
    const results = input.list(() => readValueType(input));
    const known = (list: readonly (SlotType | undefined)[]): SlotType[] => list.filter((type) => type !== undefined);
    const isPlain = ![...params, ...results].includes(undefined);
    types.push(isPlain ? { params: known(params), results: known(results) } : undefined);
  }
  return types;
}

function readValueType(input: ByteReader): SlotType | undefined {
  const code = input.u8();
  // A reference written with its heap type.
  if (code === 0x63 || code === 0x64) skipNumber(input);
  return valueTypes.get(code);
}

function* readImportedFunctions(input: ByteReader): Generator<number> {
  for (let left = input.u32(); left > 0; left--) {
    input.text();
    input.text();
    const kind = input.u8();
    if (kind === externKinds.function) yield input.u32();
    if (kind === externKinds.table) readValueType(input);
    if (kind === externKinds.table || kind === externKinds.memory) skipLimits(input);
    if (kind === externKinds.global) readValueType(input);
    if (kind === externKinds.global) input.u8();
    if (kind === externKinds.tag) input.u8();
    if (kind === externKinds.tag) input.u32();
  }
}

function skipLimits(input: ByteReader): void {
  const hasMaximum = (input.u8() & 1) === 1;
  skipNumber(input);
  if (hasMaximum) skipNumber(input);
}

/** Any LEB128 number, however long. */
function skipNumber(input: ByteReader): void {
  while (input.u8() >= 0x80);
}
