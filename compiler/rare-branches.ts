/**
 * Finds branches of a function that are rarely, or nearly always, taken: those that decide between a slow path of ours and
 * the program's own code. A slow path is known by what it calls before control can go anywhere else.
 */

import { type Instruction, opcodes } from '../passes/index.js';

/** Indices of what the normal path never uses. */
export interface RareThings {
  /** Globals that are zero unless frames leave or come back. */
  readonly globals: ReadonlySet<number>;
  /** Functions that only slow paths call. */
  readonly functions: ReadonlySet<number>;
}

export interface DecidedBranch {
  /** Of the branch, in bytes from the begin of the function's local declarations. */
  readonly offset: number;
  readonly likely: boolean;
}

/** How far a path is followed: slow paths of ours begin with a few moves of counters. */
const LONGEST_LOOK = 40;

/** @param code a function's instructions, all of them */
export function findRareBranches(code: readonly Instruction[], rare: RareThings): DecidedBranch[] {
  const flow = new ControlFlow(code, rare);
  return code.flatMap(({ opcode, offset }, index): DecidedBranch[] => {
    if (opcode !== opcodes.if && opcode !== opcodes.brIf) return [];
    if (flow.isDecidedByRareGlobal(index)) return [{ offset, likely: false }];
    const taken = flow.isSlow(flow.taken(index));
    return taken === flow.isSlow(flow.notTaken(index)) ? [] : [{ offset, likely: !taken }];
  });
}

/** Where control goes in structured code. Places are indices of instructions. */
class ControlFlow {
  readonly #code: readonly Instruction[];
  readonly #rare: RareThings;
  /** By the first instruction of an `if`, and by its `else`: the place behind the arm. Of blocks and loops: where a branch goes. */
  readonly #ends = new Map<number, number>();
  readonly #elses = new Map<number, number>();
  /** By a branch: where it goes; undefined for the begin of a loop and the end of the function. */
  readonly #targets = new Map<number, number>();

  constructor(code: readonly Instruction[], rare: RareThings) {
    this.#code = code;
    this.#rare = rare;
    const open: { readonly at: number; readonly branches: number[] }[] = [];
    for (const [at, { opcode, operand }] of code.entries()) {
      if (isOpening(opcode)) open.push({ at, branches: [] });
      const innermost = open[open.length - 1];
      if (opcode === opcodes.else && innermost !== undefined) this.#elses.set(innermost.at, at);
      if (opcode === opcodes.br || opcode === opcodes.brIf) open[open.length - 1 - operand]?.branches.push(at);
      if (opcode !== opcodes.end && opcode !== opcodes.delegate) continue;
      const closed = open.pop();
      if (closed === undefined) continue;
      this.#ends.set(closed.at, at);
      const otherwise = this.#elses.get(closed.at);
      if (otherwise !== undefined) this.#ends.set(otherwise, at);
      if (code[closed.at]?.opcode === opcodes.loop) continue;
      for (const branch of closed.branches) this.#targets.set(branch, at);
    }
  }

  /** Where an `if` or `br_if` goes when its condition holds; undefined where that is no place to look at. */
  taken(index: number): number | undefined {
    return this.#code[index]?.opcode === opcodes.if ? index + 1 : this.#targets.get(index);
  }

  notTaken(index: number): number | undefined {
    const skipped =
      this.#code[index]?.opcode === opcodes.if ? (this.#elses.get(index) ?? this.#ends.get(index)) : index;
    return skipped === undefined ? undefined : skipped + 1;
  }

  isDecidedByRareGlobal(branch: number): boolean {
    const condition = this.#code[branch - 1];
    return condition?.opcode === opcodes.globalGet && this.#rare.globals.has(condition.operand);
  }

  /** Whether control that comes to `from` calls a function of slow paths before anything but a rare global decides its way. */
  isSlow(from: number | undefined): boolean {
    const { functions } = this.#rare;
    let at = from;
    for (let looked = 0; at !== undefined && looked < LONGEST_LOOK; looked++) {
      const instruction = this.#code[at];
      if (instruction === undefined) return false;
      const { opcode, operand } = instruction;
      if (opcode === opcodes.call && functions.has(operand)) return true;
      if (opcode === opcodes.if && this.isDecidedByRareGlobal(at)) {
        at = this.notTaken(at);
        continue;
      }
      if (endsStraightCode(opcode)) return false;
      if (opcode === opcodes.br) at = this.#targets.get(at);
      else if (opcode === opcodes.else) at = this.#ends.get(at);
      else at += 1;
    }
    return false;
  }
}

const openings: ReadonlySet<number> = new Set([opcodes.block, opcodes.loop, opcodes.if, opcodes.try, opcodes.tryTable]);
const isOpening = (opcode: number): boolean => openings.has(opcode);

/** Control instructions that a look goes through. */
const transparent: ReadonlySet<number> = new Set([opcodes.block, opcodes.else, opcodes.end, opcodes.br]);
/** Control instructions beyond the first sixteen opcodes. */
const others: ReadonlySet<number> = new Set([opcodes.catchAll, opcodes.delegate, opcodes.tryTable]);

/** Whether control may go on elsewhere, or not at all. */
function endsStraightCode(opcode: number): boolean {
  return (opcode <= opcodes.return && !transparent.has(opcode)) || others.has(opcode);
}
