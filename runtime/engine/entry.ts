/** Calling an export by the types that the stable map gives it. */

import { type ExportInfo, isReference, RESERVED_PREFIX, type SlotType } from '../abi/index.js';
import { EngineError, missingExport, noSuchFunction, unsupportedEntry, wrongArguments } from './errors.js';

/** A value of a wasm number type as JavaScript has it: i64 as bigint, everything else as number. */
export type WasmValue = number | bigint;

/** The name of the export that a command starts with. */
export const COMMAND_ENTRY = '_start';
/** A reactor's set-up, called before any other export. */
export const REACTOR_SETUP = '_initialize';

/**
 * The export's types, from those that are known.
 * @throws {EngineError} `no-such-function`, or `unsupported-entry` for v128 and references
 */
export function findEntry(known: readonly ExportInfo[], module: WebAssembly.Module, name: string): ExportInfo {
  const found = known.find((entry) => entry.name === name);
  if (found === undefined) {
    const others = WebAssembly.Module.exports(module).filter((entry) => entry.kind === 'function');
    if (others.some((entry) => entry.name === name)) {
      throw new EngineError(unsupportedEntry(name, 'it takes or returns references'));
    }
    throw new EngineError(
      noSuchFunction(
        name,
        known.map((entry) => entry.name).filter((other) => !other.startsWith(`${RESERVED_PREFIX}.`)),
      ),
    );
  }
  const types = [...found.signature.params, ...found.signature.results];
  if (types.some(isReference)) throw new EngineError(unsupportedEntry(name, 'it takes or returns references'));
  if (types.includes('v128')) {
    throw new EngineError(unsupportedEntry(name, 'it takes or returns v128, which has no value outside WebAssembly'));
  }
  return found;
}

/**
 * Arguments as the export's parameter types want them. Texts are read as a command line gives them: integers in decimal
 * or `0x` form, floats in decimal, `nan`, `inf` or `-inf`.
 *
 * @throws {EngineError} `wrong-arguments` when their number or one of them does not fit
 */
export function makeArguments(entry: ExportInfo, given: readonly (WasmValue | string)[]): WasmValue[] {
  const { params } = entry.signature;
  if (given.length !== params.length) {
    throw new EngineError(wrongArguments(entry.name, params, `it was given ${given.length} arguments`));
  }
  return params.map((type, index) => {
    const value = given[index] ?? '';
    const fitting = typeof value === 'string' ? parseValue(type, value.trim().toLowerCase()) : fitValue(type, value);
    if (fitting !== undefined) return fitting;
    const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
    throw new EngineError(wrongArguments(entry.name, params, `argument ${index + 1} is ${shown}`));
  });
}

/** Arguments for re-entering: the frames bring the values along, so zeros of the right types. */
export function zeroArguments(entry: ExportInfo): WasmValue[] {
  return entry.signature.params.map((type) => (type === 'i64' ? 0n : 0));
}

/** A function export of an instance. */
export function functionExport(exports: WebAssembly.Exports, name: string): (...args: unknown[]) => unknown {
  const value = exports[name];
  if (typeof value !== 'function') throw new EngineError(missingExport(name));
  return (...args) => value(...args);
}

/** What a call of an export returned, as a list in the order of its results. */
export function listResults(entry: ExportInfo, returned: unknown): WasmValue[] {
  const values: readonly unknown[] = Array.isArray(returned) ? returned : [returned];
  return entry.signature.results.map((_type, index) => {
    const value = values[index];
    return typeof value === 'bigint' ? value : Number(value);
  });
}

function fitValue(type: SlotType, value: WasmValue): WasmValue | undefined {
  if (type === 'i64') {
    if (typeof value === 'bigint') return value;
    return Number.isSafeInteger(value) ? BigInt(value) : undefined;
  }
  return typeof value === 'number' ? value : undefined;
}

function parseValue(type: SlotType, text: string): WasmValue | undefined {
  if (type === 'i32' || type === 'i64') {
    if (!/^[+-]?(\d+|0x[0-9a-f]+)$/.test(text)) return undefined;
    const negative = text.startsWith('-');
    const magnitude = BigInt(text.replace(/^[+-]/, ''));
    const value = negative ? -magnitude : magnitude;
    const bits = type === 'i32' ? 32n : 64n;
    if (value < -(1n << (bits - 1n)) || value >= 1n << bits) return undefined;
    return type === 'i32' ? Number(value) : value;
  }
  const special: Readonly<Record<string, number>> = {
    nan: Number.NaN,
    inf: Infinity,
    '+inf': Infinity,
    '-inf': -Infinity,
  };
  const value = special[text] ?? (text === '' ? Number.NaN : Number(text));
  return Number.isNaN(value) && text !== 'nan' ? undefined : value;
}
