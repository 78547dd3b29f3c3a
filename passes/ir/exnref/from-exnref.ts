/**
 * Exceptions in their newer form to the older one, which Binaryen's interface can show and build, with stand-ins for what
 * that has not (stand-ins.ts):
 *
 *     (try_table (catch $e $l) (catch_ref $e $m) (catch_all $n)
 *       <body>)
 *
 * becomes
 *
 *     (try
 *       (do <body>)
 *       (catch $e (br $l (pop)))
 *       (catch_all (br $n)))
 *
 * where the branch of a clause with `_ref` also carries what stand-ins.ts describes. Clauses that can never be chosen are
 * left out: the older form has one for each tag, and `catch_all` last. Labels keep their depths but in clauses, which are
 * inside the `try`, where those of a `try_table` count from outside.
 */

import { ByteReader, ByteWriter, IMPORT_MODULE, MalformedBytes } from '../../../runtime/abi/index.js';
import { opcodes, readInstructions, skipBlockType } from '../instruction-reader.js';
import { type FunctionCode, ModuleCode } from './module-code.js';
import { ReplacedCode } from './replaced-code.js';
import { caught, type StandIn, throwRef } from './stand-ins.js';

export const exnrefType = 0x69;

/**
 * The same module in the older form.
 * @param module imports all stand-ins
 * @throws {MalformedBytes} for what cannot be read, or has exceptions in both forms
 */
export function fromExnref(module: Uint8Array): Uint8Array {
  const code = new ModuleCode(module);
  const indexOf = ({ base }: StandIn): number => code.importIndex(IMPORT_MODULE, base);
  const indices = { caught: indexOf(caught), throwRef: indexOf(throwRef) };
  return code.write(code.functions().map((fn) => translate(fn, indices)));
}

interface StandInIndices {
  readonly caught: number;
  readonly throwRef: number;
}

/** Kinds of clauses in the binary format. */
const [withTag, withTagAndRef, ofAllAndRef] = [0, 1, 3];

interface Clause {
  readonly tag: number | undefined;
  readonly takesRef: boolean;
  readonly label: number;
}

function translate({ code }: FunctionCode, standIns: StandInIndices): Uint8Array {
  const result = new ReplacedCode(code);
  /** For each block that is open: the clauses behind it. */
  const open: (readonly Clause[])[] = [];
  for (const instruction of readInstructions(new ByteReader(code))) {
    switch (instruction.opcode) {
      case opcodes.block:
      case opcodes.loop:
      case opcodes.if:
        open.push([]);
        break;
      case opcodes.tryTable: {
        const { type, clauses } = readTryTable(code.subarray(instruction.offset + 1, instruction.end));
        open.push(clauses);
        result.replace(
          instruction,
          new ByteWriter().u8(clauses.length === 0 ? opcodes.block : opcodes.try).bytes(type),
        );
        break;
      }
      case opcodes.end: {
        const clauses = open.pop() ?? [];
        if (clauses.length === 0) break;
        const writer = new ByteWriter();
        for (const clause of clauses) writeClause(writer, clause, standIns);
        result.replace(instruction, writer.u8(opcodes.end));
        break;
      }
      case opcodes.throwRef:
        result.replace(instruction, new ByteWriter().u8(opcodes.call).u32(standIns.throwRef).u8(opcodes.unreachable));
        break;
      case opcodes.try:
      case opcodes.rethrow:
        throw new MalformedBytes('has exceptions in their older and their newer form');
    }
  }
  return result.finish();
}

/** @param immediates of a `try_table` */
function readTryTable(immediates: Uint8Array): { readonly type: Uint8Array; readonly clauses: readonly Clause[] } {
  const reader = new ByteReader(immediates);
  skipBlockType(reader);
  const type = immediates.subarray(0, immediates.length - reader.left);
  const all = reader.list((): Clause => {
    const kind = reader.u8();
    const tag = kind === withTag || kind === withTagAndRef ? reader.u32() : undefined;
    return { tag, takesRef: kind === withTagAndRef || kind === ofAllAndRef, label: reader.u32() };
  }, 2);
  const clauses: Clause[] = [];
  for (const clause of all) {
    if (clauses.some(({ tag }) => tag === undefined || tag === clause.tag)) continue;
    clauses.push(clause);
  }
  return { type, clauses };
}

function writeClause(writer: ByteWriter, { tag, takesRef, label }: Clause, standIns: StandInIndices): void {
  if (tag === undefined) writer.u8(opcodes.catchAll);
  else writer.u8(opcodes.catch).u32(tag);
  if (takesRef) {
    // Label 0 is this inner try, 1 the one whose clause this is.
    writer.u8(opcodes.try).u8(exnrefType).u8(opcodes.rethrow).u32(1);
    writer.u8(opcodes.catchAll).u8(opcodes.call).u32(standIns.caught).u8(opcodes.end);
  }
  writer.u8(opcodes.br).u32(label + 1);
}
