/**
 * Compiling as a step of a build: what was compiled before, by the same compiler with the same options from the same
 * bytes, is taken from a folder.
 *
 * An entry is two files, `<name>-<key>.wasm` and `<name>-<key>.json`. The second is written last and has the first one's digest, so what
 * a build left that was killed, or what somebody changed, is compiled again.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import * as z from 'zod';
import { CompileError, type Diagnostic } from '../../passes/index.js';
import { ABI_VERSION } from '../../runtime/abi/index.js';
import { compile } from '../compile.js';
import { findWasmOpt } from '../optimiser/wasm-opt.js';
import { resolveOptions } from '../options.js';
import { sha256 } from '../report.js';
import { binaryenVersion, compilerVersion } from '../versions.js';
import type { StepOptions } from './options.js';

/** 128 bits: nobody finds two inputs with one key by accident. */
const KEY_DIGITS = 32;

export interface StepResult {
  /** The compiled module. */
  readonly wasm: Uint8Array;
  /** Where it is kept, if it is. */
  readonly file?: string;
  /** Sentences for whoever builds. */
  readonly warnings: readonly string[];
}

/**
 * Compiles a module, or takes it from the cache.
 * @param name what is compiled, for messages
 * @throws {Error} with the compiler's diagnostic as one sentence, and the {@link CompileError} as its cause
 */
export function compileStep(bytes: Uint8Array, { cache, ...options }: StepOptions, name: string): StepResult {
  try {
    if (cache === false) return compileNow(bytes, options);
    return throughCache(bytes, options, join(cache ?? defaultCache(), basename(name, '.wasm')));
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    throw new Error(`${name}: ${sentence(error.diagnostic)}`, { cause: error });
  }
}

/** The folder for caches of tools: that of the package that is built. */
export function defaultCache(from: string = process.cwd()): string {
  const folder = resolve(from);
  const parent = dirname(folder);
  if (existsSync(join(folder, 'package.json')) || parent === folder) return join(folder, 'node_modules/.cache/mvvmc');
  return defaultCache(parent);
}

type CompileStepOptions = Omit<StepOptions, 'cache'>;

function compileNow(bytes: Uint8Array, options: CompileStepOptions): StepResult {
  const { wasm, diagnostics } = compile(bytes, options);
  return { wasm, warnings: diagnostics.map(sentence) };
}

function throughCache(bytes: Uint8Array, options: CompileStepOptions, stem: string): StepResult {
  const entry = `${stem}-${keyOf(bytes, options)}`;
  const [file, record] = [`${entry}.wasm`, `${entry}.json`];
  const kept = readKept(file, record);
  if (kept !== undefined) return kept;
  const { wasm, warnings } = compileNow(bytes, options);
  mkdirSync(dirname(entry), { recursive: true });
  replace(file, wasm);
  replace(record, JSON.stringify({ sha256: sha256(wasm), warnings }));
  return { wasm, file, warnings };
}

/** Everything that decides what comes out. */
function keyOf(bytes: Uint8Array, options: CompileStepOptions): string {
  const settings = resolveOptions(options);
  const tool = settings.wasmOpt === undefined ? undefined : findWasmOpt(settings.wasmOpt);
  const facts = [compilerVersion, ABI_VERSION, binaryenVersion, { ...settings, wasmOpt: tool }, sha256(bytes)];
  return sha256(Buffer.from(JSON.stringify(facts))).slice(0, KEY_DIGITS);
}

const keptRecord = z.strictObject({ sha256: z.string(), warnings: z.array(z.string()) });

/** Undefined when there is no whole, unchanged entry. */
function readKept(file: string, record: string): StepResult | undefined {
  try {
    const { sha256: digest, warnings } = keptRecord.parse(JSON.parse(readFileSync(record, 'utf8')));
    const wasm = readFileSync(file);
    return sha256(wasm) === digest ? { wasm, file, warnings } : undefined;
  } catch {
    return undefined;
  }
}

/** Builds run side by side: each sees no file or a whole one. */
function replace(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  writeFileSync(temporary, content);
  renameSync(temporary, path);
}

function sentence({ message, where, hint }: Diagnostic): string {
  const place = where === undefined ? '' : ` (in ${where})`;
  return `${message}${place}${hint === undefined ? '' : ` - ${hint}`}`;
}
