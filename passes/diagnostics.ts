/**
 * What the compiler can say about a module it is given. Each diagnostic is data made by a small function; `refuse` is
 * the one place that throws.
 */

export interface Diagnostic {
  /** Stable, for programs: `area/problem`. */
  readonly code: string;
  /** One line: what was wrong with what. */
  readonly message: string;
  /** Function (or other item) of the module that it is about. */
  readonly where?: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** Thrown for a mistake of a person's or a module that is not supported; never for a bug of ours. */
export class CompileError extends Error {
  override name = 'CompileError';
  readonly diagnostic: Diagnostic;

  constructor(diagnostic: Diagnostic) {
    const where = diagnostic.where === undefined ? '' : ` (in ${diagnostic.where})`;
    super(`${diagnostic.message}${where}`);
    this.diagnostic = diagnostic;
  }
}

export function refuse(diagnostic: Diagnostic): never {
  throw new CompileError(diagnostic);
}

export function malformedModule(reason: string): Diagnostic {
  return {
    code: 'module/malformed',
    message: `the module cannot be read: ${reason}`,
    hint: 'check it with wasm-validate or the toolchain that made it',
  };
}

export function invalidOutput(pass: string, reason: string): Diagnostic {
  return {
    code: 'internal/invalid-module',
    message: `pass ${pass} produced a module that does not validate: ${reason}`,
    hint: 'this is a bug in mvvmc; please report it with the module',
  };
}

export function optimiserFailed(reason: string): Diagnostic {
  return {
    code: 'internal/optimiser-failed',
    message: `the optimiser gave up on the module: ${reason}`,
    hint: 'compile it in a process of its own; if that fails, too, this is a bug in mvvmc: please report it with the module',
  };
}

export function reservedName(kind: string, name: string): Diagnostic {
  return {
    code: 'module/reserved-name',
    message: `${kind} "${name}" uses the reserved prefix "mvvm"`,
    hint: 'the module was compiled by mvvmc already, or must rename it',
  };
}

export function unsupportedInstruction(fn: string, instruction: string): Diagnostic {
  return {
    code: 'unsupported/instruction',
    message: `${instruction} is not supported in a function that can be stopped`,
    where: `function ${fn}`,
    hint: 'build the program without it; docs/limits.md says why it is refused',
  };
}

/** @param where the function or global, as in `function f` */
export function unsupportedSlot(where: string, type: string): Diagnostic {
  return {
    code: 'unsupported/slot-type',
    message: `a value of type ${type} would have to be saved at a stable point, and cannot be`,
    where,
    hint: 'keep it in a table of the module, and its index in the variable',
  };
}

export function unsupportedModule(what: string): Diagnostic {
  return {
    code: 'unsupported/module',
    message: `${what} is not supported`,
    hint: 'docs/limits.md says why, and what can be done instead',
  };
}

export function blockingImportInTable(name: string): Diagnostic {
  return {
    code: 'unsupported/blocking-import-in-table',
    message: `import "${name}" can block and is called through a table, where it cannot be interrupted`,
    hint: 'wrap it in a function of the module and put that into the table',
  };
}

export function uncoveredCycle(cycle: readonly string[]): Diagnostic {
  return {
    code: 'internal/uncovered-cycle',
    message: `a cycle has no stable point: ${cycle.join(' -> ')}`,
    hint: 'this is a bug in a placement pass of mvvmc; please report it with the module',
  };
}
