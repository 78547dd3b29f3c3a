/**
 * What the engine refuses, and why. Each function describes one diagnostic as data; {@link EngineError} carries it.
 * Texts are one line: `message` says what is wrong with what, `hint` what to do about it.
 */

import type { SlotType } from '../abi/index.js';

export type EngineErrorCode =
  | 'not-wasm'
  | 'not-compiled'
  | 'damaged-section'
  | 'unknown-import'
  | 'no-such-function'
  | 'unsupported-entry'
  | 'wrong-arguments'
  | 'missing-export'
  | 'bad-state'
  | 'stack-too-small'
  | 'memory-limit'
  | 'not-savable'
  | 'bad-directory'
  | 'wrong-use';

export interface Diagnostic {
  readonly code: EngineErrorCode;
  readonly message: string;
  /** What to do; empty when there is nothing to advise. */
  readonly hint: string;
}

/** Everything the engine throws. `code` is stable, the text is for a person. */
export class EngineError extends Error implements Diagnostic {
  override name = 'EngineError';
  readonly code: EngineErrorCode;
  readonly hint: string;

  constructor({ code, message, hint }: Diagnostic) {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

export const notWasm = (reason: string): Diagnostic => ({
  code: 'not-wasm',
  message: `the module is not a WebAssembly module that this engine accepts: ${reason}`,
  hint: 'compile it again, or check that the file is complete',
});

export const notCompiled = (): Diagnostic => ({
  code: 'not-compiled',
  message: 'the module was not compiled by mvvmc, so it cannot be stopped or continued',
  hint: 'compile it first: mvvmc -o program.mvvm.wasm program.wasm',
});

export const damagedSection = (section: string, reason: string): Diagnostic => ({
  code: 'damaged-section',
  message: `the custom section ${section} of the module ${reason}`,
  hint: 'compile the original module again with this version of mvvmc',
});

export const unknownImports = (names: readonly string[]): Diagnostic => ({
  code: 'unknown-import',
  message: `the module imports what this host does not have: ${names.join(', ')}`,
  hint: 'give these imports to the runtime, or build the program without them',
});

export const noSuchFunction = (name: string, known: readonly string[]): Diagnostic => ({
  code: 'no-such-function',
  message: `the module has no exported function ${JSON.stringify(name)}`,
  hint: known.length > 0 ? `it has ${shortList(known)}` : 'it exports none',
});

export const cannotStopIn = (name: string, known: readonly string[]): Diagnostic => ({
  code: 'no-such-function',
  message: `the module has no function ${JSON.stringify(name)} with stable points; it may have been inlined`,
  hint: known.length > 0 ? `it has ${shortList(known)}` : 'it has none with stable points',
});

export const unsupportedEntry = (name: string, reason: string): Diagnostic => ({
  code: 'unsupported-entry',
  message: `export ${JSON.stringify(name)} cannot be the entry: ${reason}`,
  hint: 'call an export whose parameters and results are i32, i64, f32 or f64',
});

export const wrongArguments = (name: string, params: readonly SlotType[], problem: string): Diagnostic => ({
  code: 'wrong-arguments',
  message: `export ${JSON.stringify(name)} takes (${params.join(', ')}): ${problem}`,
  hint: 'i64 takes integers of 64 bits, the other types take numbers',
});

export const missingExport = (name: string): Diagnostic => ({
  code: 'missing-export',
  message: `the module's stable map promises an export ${name} that the module does not have`,
  hint: 'compile the original module again; a tool that ran after mvvmc may have removed it',
});

export const badState = (what: string): Diagnostic => ({
  code: 'bad-state',
  message: `the snapshot does not fit its module: ${what}`,
  hint: 'the snapshot is damaged or forged; take another one',
});

export const stackTooSmall = (): Diagnostic => ({
  code: 'stack-too-small',
  message: "the snapshot's call stack is deeper than the stack of this host",
  hint: 'give the guest a larger stack (mvvm restore --stack-size)',
});

export const memoryLimit = (memory: number, pages: number): Diagnostic => ({
  code: 'memory-limit',
  message: `memory ${memory} cannot be grown to the ${pages} pages (of 64 KiB) that the snapshot has`,
  hint: 'restore it where more memory is allowed',
});

export const notSavable = (reason: string): Diagnostic => ({
  code: 'not-savable',
  message: `no checkpoint can be taken here: ${reason}`,
  hint: 'the program goes on; ask again later',
});

export const badDirectory = (path: string, reason: string): Diagnostic => ({
  code: 'bad-directory',
  message: `the directory ${path} cannot be given to the program: ${reason}`,
  hint: 'check that it exists, is a directory and may be read',
});

export const wrongUse = (problem: string): Diagnostic => ({ code: 'wrong-use', message: problem, hint: '' });

/** Whether an engine says, each in its own way, that its stack was too small. */
export function isStackOverflow(error: unknown): boolean {
  return error instanceof Error && (error.name === 'RangeError' || error.name === 'InternalError');
}

/** The first few names, for a hint that must stay one line. */
function shortList(names: readonly string[]): string {
  const shown = names.slice(0, 8);
  return shown.length < names.length ? `${shown.join(', ')} and ${names.length - shown.length} more` : shown.join(', ');
}
