/**
 * The way back from from-exnref.ts: `try` and the stand-ins become exceptions in their newer form.
 *
 *     (try (result t)
 *       (do <body>)
 *       (catch $e <handler>)
 *       (catch_all <other>))
 *
 * becomes
 *
 *     (block $end (result t)
 *       (block $all (result exnref)
 *         (block $e (result <payload of $e> exnref)
 *           (br $end (try_table (result t) (catch_ref $e $e) (catch_all_ref $all) <body>)))
 *         (local.set $exception)
 *         (br $end <handler>))
 *       (local.set $exception)
 *       <other>)
 *
 * A clause takes the exception itself, as an `exnref` in a local, only if it needs it: for a `rethrow`, or for the stand-in
 * `caught`. Clauses inside each other have locals of their own.
 */

import { ByteReader, ByteWriter, MalformedBytes } from '../../../runtime/abi/index.js';
import { type Instruction, opcodes, readInstructions, skipDeclarations } from '../instruction-reader.js';
import { exnrefType } from './from-exnref.js';
import { type FunctionCode, ModuleCode } from './module-code.js';
import { ReplacedCode } from './replaced-code.js';
import { caught, type StandIn, standIns, throwRef } from './stand-ins.js';

/**
 * The same module in the newer form, without the stand-ins.
 * @param module has a function for each stand-in, in their order, behind all others
 * @throws {MalformedBytes} for what cannot be read, and for `delegate`, which Binaryen makes only of itself
 */
export function toExnref(module: Uint8Array): Uint8Array {
  const code = new ModuleCode(module);
  const functions = code.functions();
  const own = functions.slice(0, functions.length - standIns.length);
  const indexOf = (standIn: StandIn): number => code.indexFromEnd(standIns.length - standIns.indexOf(standIn));
  const indices = { caught: indexOf(caught), throwRef: indexOf(throwRef) };
  return code.write(own.map((fn) => new Translation(fn, code, indices).run()));
}

/** Indices of functions. */
type StandInIndices = Readonly<Record<'caught' | 'throwRef', number>>;

/** A `catch`, or a `catch_all`, which has no tag. */
interface Clause {
  readonly tag: number | undefined;
  /** How many clauses it is in: the number of its local for the exception itself. */
  readonly nesting: number;
  takesRef: boolean;
}

interface Try {
  readonly clauses: Clause[];
  /** Set when all that it does is to give the exception of this clause around it. */
  readonly gives: Clause | undefined;
}

/** What is open at an instruction: the function, a block, or a try. */
interface Frame {
  /** How many blocks were open in the new code when the one was opened that its label means, with that one. */
  readonly depth: number;
  readonly try: Try | undefined;
  /** Index of the clause of the try that the instruction is in; -1 in its body. */
  clause: number;
}

class Translation {
  readonly #fn: FunctionCode;
  readonly #module: ModuleCode;
  readonly #standIns: StandInIndices;
  readonly #instructions: readonly Instruction[];
  /** By the index of their first instruction. */
  readonly #tries = new Map<number, Try>();
  readonly #result: ReplacedCode;
  /** How many blocks are open in the new code. */
  #depth = 0;
  readonly #firstLocal: number;
  #locals = 0;

  constructor(fn: FunctionCode, module: ModuleCode, standIns: StandInIndices) {
    this.#fn = fn;
    this.#module = module;
    this.#standIns = standIns;
    this.#instructions = [...readInstructions(new ByteReader(fn.code))];
    this.#result = new ReplacedCode(fn.code);
    this.#firstLocal = fn.params + skipDeclarations(new ByteReader(fn.code));
  }

  run(): Uint8Array {
    this.#findTries();
    if (this.#tries.size === 0 && !this.#instructions.some((instruction) => this.#isCallOf('throwRef', instruction))) {
      return this.#fn.code;
    }
    this.#declareLocals();
    this.#translate();
    return this.#result.finish();
  }

  #isCallOf(standIn: keyof StandInIndices, { opcode, operand }: Instruction): boolean {
    return opcode === opcodes.call && operand === this.#standIns[standIn];
  }

  // --- What there is ---

  /** Finds the tries, and which of their clauses take the exception itself. */
  #findTries(): void {
    const open = new OpenFrames();
    for (const [index, instruction] of this.#instructions.entries()) {
      switch (instruction.opcode) {
        case opcodes.block:
        case opcodes.loop:
        case opcodes.if:
          open.push(0, undefined);
          break;
        case opcodes.try: {
          const found: Try = { clauses: [], gives: this.#findGiven(index, open) };
          this.#tries.set(index, found);
          open.push(0, found);
          break;
        }
        case opcodes.catch:
          open.addClause(instruction.operand);
          break;
        case opcodes.catchAll:
          open.addClause(undefined);
          break;
        case opcodes.rethrow:
          open.clauseAt(instruction.operand).takesRef = true;
          break;
        case opcodes.call:
          if (this.#isCallOf('caught', instruction)) open.innermostClause().takesRef = true;
          break;
        case opcodes.end:
          open.pop();
          break;
        case opcodes.delegate:
          throw new MalformedBytes('has a delegate');
      }
    }
    const tries = [...this.#tries.values()].filter(({ gives }) => gives === undefined);
    const taken = tries.flatMap(({ clauses }) => clauses.filter(({ takesRef }) => takesRef));
    this.#locals = Math.max(0, ...taken.map(({ nesting }) => nesting + 1));
  }

  /** The clause whose exception a try gives that is nothing but `try rethrow catch_all call $caught end`. */
  #findGiven(index: number, open: OpenFrames): Clause | undefined {
    const [rethrow, catchAll, call, end] = this.#instructions.slice(index + 1, index + givingLength);
    if (rethrow?.opcode !== opcodes.rethrow || catchAll?.opcode !== opcodes.catchAll) return undefined;
    if (call === undefined || !this.#isCallOf('caught', call) || end?.opcode !== opcodes.end) return undefined;
    // Label 0 is the try itself, which is not open yet.
    return open.clauseAt(rethrow.operand - 1);
  }

  // --- The new code ---

  #declareLocals(): void {
    if (this.#locals === 0) return;
    const { code } = this.#fn;
    const reader = new ByteReader(code);
    skipDeclarations(reader);
    const end = code.length - reader.left;
    const own = new ByteReader(code.subarray(0, end));
    const declarations = new ByteWriter().u32(own.u32() + 1).bytes(own.rest());
    this.#result.replace({ offset: 0, end }, declarations.u32(this.#locals).u8(exnrefType));
  }

  #translate(): void {
    const open = new OpenFrames();
    for (let index = 0; index < this.#instructions.length; index++) {
      const instruction = this.#instructions[index];
      if (instruction === undefined) continue;
      const { opcode, operand } = instruction;
      switch (opcode) {
        case opcodes.block:
        case opcodes.loop:
        case opcodes.if:
          this.#depth += 1;
          open.push(this.#depth, undefined);
          break;
        case opcodes.try: {
          const found = this.#tries.get(index) ?? noTry;
          if (found.gives === undefined) this.#openTry(instruction, found, open);
          else {
            index += givingLength - 1;
            const end = this.#instructions[index]?.end ?? instruction.end;
            this.#result.replace({ offset: instruction.offset, end }, this.#getException(found.gives));
          }
          break;
        }
        case opcodes.catch:
        case opcodes.catchAll:
          this.#beginClause(instruction, open);
          break;
        case opcodes.end:
          open.pop();
          this.#depth -= 1;
          break;
        case opcodes.br:
        case opcodes.brIf:
        case opcodes.brOnNull:
        case opcodes.brOnNonNull:
          this.#result.replace(instruction, new ByteWriter().u8(opcode).u32(this.#labelAt(operand, open)));
          break;
        case opcodes.brTable:
          this.#replaceTable(instruction, open);
          break;
        case opcodes.rethrow:
          this.#result.replace(instruction, this.#getException(open.clauseAt(operand)).u8(opcodes.throwRef));
          break;
        case opcodes.call:
          if (this.#isCallOf('caught', instruction)) {
            this.#result.replace(instruction, this.#getException(open.innermostClause()));
          } else if (this.#isCallOf('throwRef', instruction)) {
            this.#result.replace(instruction, new ByteWriter().u8(opcodes.throwRef));
          }
          break;
      }
    }
  }

  #getException({ nesting }: Clause): ByteWriter {
    return new ByteWriter().u8(opcodes.localGet).u32(this.#firstLocal + nesting);
  }

  /** The depth of a label in the new code. */
  #labelAt(label: number, open: OpenFrames): number {
    return this.#depth - open.at(label).depth;
  }

  #replaceTable(instruction: Instruction, open: OpenFrames): void {
    const reader = new ByteReader(this.#fn.code.subarray(instruction.offset + 1, instruction.end));
    const count = reader.u32();
    const writer = new ByteWriter().u8(opcodes.brTable).u32(count);
    for (let label = 0; label <= count; label++) writer.u32(this.#labelAt(reader.u32(), open));
    this.#result.replace(instruction, writer);
  }

  #openTry(instruction: Instruction, found: Try, open: OpenFrames): void {
    const type = this.#fn.code.subarray(instruction.offset + 1, instruction.end);
    const writer = new ByteWriter().u8(opcodes.block).bytes(type);
    this.#depth += 1;
    open.push(this.#depth, found);
    const { clauses } = found;
    if (clauses.length > 0) {
      for (const { tag, takesRef } of clauses.toReversed()) {
        const payload = tag === undefined ? [] : this.#module.payloadOf(tag);
        const given = takesRef ? [...payload, Uint8Array.of(exnrefType)] : payload;
        writer.u8(opcodes.block).bytes(this.#module.blockType(given));
      }
      writer.u8(opcodes.tryTable).bytes(type).u32(clauses.length);
      for (const [label, { tag, takesRef }] of clauses.entries()) {
        writer.u8(clauseKind(tag, takesRef));
        if (tag !== undefined) writer.u32(tag);
        writer.u32(label);
      }
      this.#depth += clauses.length + 1;
    }
    this.#result.replace(instruction, writer);
  }

  /** Ends what is before a clause, the body or another clause, with a branch to the end of all. */
  #beginClause(instruction: Instruction, open: OpenFrames): void {
    const frame = open.at(0);
    const writer = new ByteWriter();
    if (frame.clause < 0) {
      writer.u8(opcodes.end);
      this.#depth -= 1;
    }
    writer
      .u8(opcodes.br)
      .u32(this.#depth - frame.depth)
      .u8(opcodes.end);
    this.#depth -= 1;
    frame.clause += 1;
    const clause = frame.try?.clauses[frame.clause];
    if (clause?.takesRef) writer.u8(opcodes.localSet).u32(this.#firstLocal + clause.nesting);
    this.#result.replace(instruction, writer);
  }
}

/** Number of instructions of a try that gives the exception of another clause. */
const givingLength = 5;
const noTry: Try = { clauses: [], gives: undefined };

function clauseKind(tag: number | undefined, takesRef: boolean): number {
  return (tag === undefined ? 2 : 0) + (takesRef ? 1 : 0);
}

/** The frames that are open, innermost last. The first is that of the function. */
class OpenFrames {
  readonly #frames: Frame[] = [{ depth: 0, try: undefined, clause: -1 }];

  push(depth: number, found: Try | undefined): void {
    this.#frames.push({ depth, try: found, clause: -1 });
  }

  pop(): void {
    this.#frames.pop();
  }

  /** The frame that a label means. */
  at(label: number): Frame {
    const frame = this.#frames[this.#frames.length - 1 - label];
    if (frame === undefined) throw new MalformedBytes('has a label of no block');
    return frame;
  }

  /** Begins another clause of the innermost try. */
  addClause(tag: number | undefined): void {
    const nesting = this.#frames.slice(0, -1).filter(({ clause }) => clause >= 0).length;
    const frame = this.at(0);
    frame.try?.clauses.push({ tag, nesting, takesRef: false });
    frame.clause += 1;
  }

  clauseAt(label: number): Clause {
    return currentClause(this.at(label)) ?? noClause();
  }

  innermostClause(): Clause {
    for (const frame of this.#frames.toReversed()) {
      const clause = currentClause(frame);
      if (clause !== undefined) return clause;
    }
    return noClause();
  }
}

const currentClause = (frame: Frame): Clause | undefined => frame.try?.clauses[frame.clause];

function noClause(): never {
  throw new MalformedBytes('asks for an exception outside of a clause');
}
