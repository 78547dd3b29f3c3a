/**
 * Everything the driver can find wrong with its input, its options or the optimiser: a small function each, which
 * returns data. Only `compile` and the functions it calls throw them, as {@link CompileError}.
 */

import type { Diagnostic } from '../passes/index.js';

export function emptyInput(): Diagnostic {
  return { code: 'input/empty', message: 'the module is empty', hint: 'check the command that was to produce it' };
}

/** @param looksLike what the first bytes say, such as "a JSON file", when they say anything */
export function notWasm(looksLike: string | undefined, hint?: string): Diagnostic {
  return {
    code: 'input/not-wasm',
    message: looksLike === undefined ? 'not a WebAssembly module' : `not a WebAssembly module but ${looksLike}`,
    hint: hint ?? 'give a binary module (a .wasm file)',
  };
}

export function componentInput(): Diagnostic {
  return {
    code: 'input/component',
    message: 'a WebAssembly component, not a core module',
    hint: 'compile the core modules inside it (`wasm-tools component unbundle` takes them out)',
  };
}

export function unknownVersion(version: number): Diagnostic {
  return {
    code: 'input/version',
    message: `WebAssembly binary version ${version}, only version 1 exists`,
    hint: 'check that the file is not damaged',
  };
}

export function truncatedInput(offset: number, wanted: string): Diagnostic {
  return {
    code: 'input/truncated',
    message: `the module ends at byte ${offset}, in the middle of ${wanted}`,
    hint: 'check that it was copied or downloaded completely',
  };
}

export function alreadyCompiled(section: string): Diagnostic {
  return {
    code: 'input/already-compiled',
    message: `the module was compiled by mvvmc before (it has the section "${section}")`,
    hint: 'compile the original module',
  };
}

/** @param reasons one sentence an option that is wrong */
export function invalidOptions(reasons: readonly string[]): Diagnostic {
  return { code: 'options/invalid', message: reasons.join('; '), hint: 'see CompileOptions for what is accepted' };
}

/** @param source the profile's file */
export function invalidProfile(source: string, reason: string): Diagnostic {
  return {
    code: 'options/invalid-profile',
    message: `${source} is not a profile: ${reason}`,
    hint: 'a profile is {"original": <SHA-256>, "points": [{"function", "kind", "ordinal", "count"}, ...]}',
  };
}

export function profileOfAnotherModule(profiled: string, compiled: string): Diagnostic {
  return {
    code: 'options/profile-of-another-module',
    message: `the profile is of module ${profiled.slice(0, 16)}..., this is module ${compiled.slice(0, 16)}...`,
    hint: 'make a profile of this module, or leave --enable-checkpoint-pgo out',
  };
}

/** @param looked the places that were searched, in order */
export function wasmOptNotFound(looked: readonly string[]): Diagnostic {
  return {
    code: 'wasm-opt/not-found',
    message: `no wasm-opt found (looked at ${looked.join(', ')})`,
    hint: 'install Binaryen, or leave --wasm-opt out to use the optimiser that comes with mvvmc',
  };
}

export function wasmOptUnusable(path: string, reason: string): Diagnostic {
  return {
    code: 'wasm-opt/unusable',
    message: `${path} is not a working wasm-opt: ${reason}`,
    hint: "give another with --wasm-opt=<path>, or leave the option out to use mvvmc's own optimiser",
  };
}

export function wasmOptFailed(path: string, version: string, reason: string): Diagnostic {
  return {
    code: 'wasm-opt/failed',
    message: `${path} (version ${version}) could not optimise the module: ${reason}`,
    hint: "leave --wasm-opt out to use mvvmc's own optimiser, which is newer than many",
  };
}

export function passDidNotRun(pass: string): Diagnostic {
  return {
    code: 'dump/pass-did-not-run',
    message: `nothing to dump: the pass ${pass} did not run`,
    hint: 'name the policy it belongs to; `mvvmc --print-passes` lists the flags',
  };
}
