/**
 * Reads the instructions of a function's code as bytes: where each begins and ends, its opcode, and the index it names, if
 * it names one. It knows the immediates of everything the optimiser emits but garbage collection.
 */

import { type ByteReader, MalformedBytes } from '../../runtime/abi/index.js';

export interface Instruction {
  /** Bytes from the begin of the code that is read. */
  readonly offset: number;
  /** Where the next one begins. */
  readonly end: number;
  readonly opcode: number;
  /** The first immediate, of instructions that name a label, local, global or function or have a small constant. */
  readonly operand: number;
}

/** Opcodes that somebody asks for. */
export const opcodes = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  try: 0x06,
  catch: 0x07,
  rethrow: 0x09,
  throwRef: 0x0a,
  end: 0x0b,
  br: 0x0c,
  brIf: 0x0d,
  brTable: 0x0e,
  return: 0x0f,
  call: 0x10,
  delegate: 0x18,
  catchAll: 0x19,
  selectOfTypes: 0x1c,
  tryTable: 0x1f,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  i32Eqz: 0x45,
  i32Sub: 0x6b,
  brOnNull: 0xd5,
  brOnNonNull: 0xd6,
} as const;

/** What follows an opcode: letters for LEB128 numbers (n), single bytes (b), types of blocks (t) and memory operands (m). */
const immediates: readonly (readonly [first: number, last: number, form: string])[] = [
  [0x02, 0x04, 't'],
  [0x06, 0x06, 't'],
  [0x07, 0x09, 'n'],
  [0x0c, 0x0d, 'n'],
  [0x10, 0x10, 'n'],
  [0x11, 0x11, 'nn'],
  [0x12, 0x12, 'n'],
  [0x13, 0x13, 'nn'],
  [0x14, 0x15, 'n'],
  [0x18, 0x18, 'n'],
  [0x20, 0x26, 'n'],
  [0x28, 0x3e, 'm'],
  [0x3f, 0x42, 'n'],
  [0x43, 0x43, 'bbbb'],
  [0x44, 0x44, 'bbbbbbbb'],
  [0xd0, 0xd0, 'n'],
  [0xd2, 0xd2, 'n'],
  [0xd5, 0xd6, 'n'],
];

/** Opcodes without immediates. */
const bare: readonly (readonly [first: number, last: number])[] = [
  [0x00, 0x01],
  [0x05, 0x05],
  [0x0a, 0x0b],
  [0x0f, 0x0f],
  [0x19, 0x1b],
  [0x45, 0xc4],
  [0xd1, 0xd1],
  [0xd3, 0xd4],
];

/** The same for what follows a prefix; unlisted vector instructions have none. */
const bulk: readonly (readonly [first: number, last: number, form: string])[] = [
  [0, 7, ''],
  [8, 8, 'nn'],
  [9, 9, 'n'],
  [10, 10, 'nn'],
  [11, 11, 'n'],
  [12, 12, 'nn'],
  [13, 13, 'n'],
  [14, 14, 'nn'],
  [15, 17, 'n'],
];
const vector: readonly (readonly [first: number, last: number, form: string])[] = [
  [0, 11, 'm'],
  [12, 13, 'b'.repeat(16)],
  [21, 34, 'b'],
  [84, 91, 'mb'],
  [92, 93, 'm'],
  [0, 0xfff, ''],
];
const atomic: readonly (readonly [first: number, last: number, form: string])[] = [
  [0, 2, 'm'],
  [3, 3, 'b'],
  [0x10, 0x4e, 'm'],
];
const prefixes: ReadonlyMap<number, typeof bulk> = new Map([
  [0xfc, bulk],
  [0xfd, vector],
  [0xfe, atomic],
]);

/** By opcode: what follows; undefined for what is not known. */
const forms: readonly (string | undefined)[] = Array.from({ length: 256 }, (_, opcode) => {
  if (bare.some(([first, last]) => opcode >= first && opcode <= last)) return '';
  return formOf(immediates, opcode);
});

function formOf(table: typeof bulk, opcode: number): string | undefined {
  return table.find(([first, last]) => opcode >= first && opcode <= last)?.[2];
}

/**
 * Reads to the end of `code`, which begins with the local declarations.
 * @throws {MalformedBytes} at an instruction it does not know
 */
export function* readInstructions(code: ByteReader): Generator<Instruction> {
  const length = code.left;
  skipDeclarations(code);
  while (code.left > 0) {
    const offset = length - code.left;
    const opcode = code.u8();
    const operand = readImmediates(code, opcode);
    yield { offset, end: length - code.left, opcode, operand };
  }
}

/** What code begins with: the locals, in groups of one type. @returns how many there are */
export function skipDeclarations(code: ByteReader): number {
  let locals = 0;
  for (let groups = code.u32(); groups > 0; groups--) {
    locals += code.u32();
    skipType(code);
  }
  return locals;
}

/** A constant expression, with the `end` of it. */
export function skipExpression(code: ByteReader): void {
  for (let opcode = code.u8(); opcode !== opcodes.end; opcode = code.u8()) readImmediates(code, opcode);
}

/** A value type; those of references to a certain heap type are longer than a byte. */
export function skipType(code: ByteReader): void {
  const type = code.u8();
  if (type === 0x63 || type === 0x64) readNumber(code);
}

/** A value type, the byte for none, or the index of a function type. */
export function skipBlockType(code: ByteReader): void {
  const first = code.u8();
  if (first === 0x63 || first === 0x64 || first >= 0x80) readNumber(code);
}

/** @returns the first number, or -1 */
function readImmediates(code: ByteReader, opcode: number): number {
  if (opcode === opcodes.tryTable) return skipTryTable(code);
  const table = prefixes.get(opcode);
  if (table !== undefined) {
    const sub = code.u32();
    return skipForm(code, formOf(table, sub), opcode);
  }
  if (opcode === opcodes.brTable) {
    for (let labels = code.count() + 1; labels > 0; labels--) readNumber(code);
    return -1;
  }
  if (opcode === opcodes.selectOfTypes) {
    for (let types = code.count(); types > 0; types--) skipType(code);
    return -1;
  }
  return skipForm(code, forms[opcode], opcode);
}

/** The type of its block, then a list of clauses: kind, tag where the kind has one, label. */
function skipTryTable(code: ByteReader): number {
  skipBlockType(code);
  for (let clauses = code.count(2); clauses > 0; clauses--) {
    const hasTag = code.u8() < 2;
    if (hasTag) code.u32();
    code.u32();
  }
  return -1;
}

function skipForm(code: ByteReader, form: string | undefined, opcode: number): number {
  if (form === undefined) throw new MalformedBytes(`has an instruction that is not known: 0x${opcode.toString(16)}`);
  let first = -1;
  for (const [index, kind] of [...form].entries()) {
    if (kind === 'b') code.u8();
    else if (kind === 'm') skipMemoryOperand(code);
    else if (kind === 't') skipBlockType(code);
    else {
      const number = readNumber(code);
      if (index === 0) first = number;
    }
  }
  return first;
}

/** Alignment, whose sixth bit says that a memory is named, and offset. */
function skipMemoryOperand(code: ByteReader): void {
  if ((code.u32() & 0x40) !== 0) readNumber(code);
  readNumber(code);
}

/** A LEB128 number of any length; its value where that is not negative and below 2^31. */
function readNumber(code: ByteReader): number {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = code.u8();
    if (shift < 28) value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}
