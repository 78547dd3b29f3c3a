/**
 * A wasm-opt of the user's: finding it, asking for its version, and running it. A native one is several times faster
 * than the optimiser that comes with the compiler, but never needed.
 */

import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import * as z from 'zod';
import { CompileError } from '../../passes/index.js';
import { wasmOptFailed, wasmOptNotFound, wasmOptUnusable } from '../diagnostics.js';
import type { Levels } from './levels.js';

export interface WasmOpt {
  readonly path: string;
  /** As it reports itself, such as "108". */
  readonly version: string;
}

/**
 * What a module may use on the oldest engine we support. Named one by one: `--all-features` also turns on encodings
 * that engines reject.
 */
const features = [
  'mutable-globals',
  'sign-ext',
  'nontrapping-float-to-int',
  'bulk-memory',
  'simd',
  'threads',
  'multivalue',
  'tail-call',
  'reference-types',
  'exception-handling',
].map((feature) => `--enable-${feature}`);

/**
 * @param choice a path, or `true` to look on the PATH and then for the npm package `wasm-opt`
 * @throws {CompileError} `wasm-opt/not-found` or `wasm-opt/unusable`
 */
export function findWasmOpt(choice: string | true): WasmOpt {
  const path = choice === true ? (findOnPath() ?? findInPackages()) : choice;
  if (path === undefined) throw new CompileError(wasmOptNotFound(['the PATH', 'the npm package wasm-opt']));
  if (!isFile(path)) throw new CompileError(wasmOptNotFound([path]));
  return { path, version: askVersion(path) };
}

/**
 * Optimises a module, keeping its names.
 * @param skipped passes to leave out
 * @throws {CompileError} `wasm-opt/failed`
 */
export function runWasmOpt(
  tool: WasmOpt,
  module: Uint8Array,
  levels: Levels,
  skipped: readonly string[] = [],
): Uint8Array {
  const fixed = ['-g', ...levelFlags(levels), ...skipped.map((pass) => `--skip-pass=${pass}`)];
  const folder = mkdtempSync(join(tmpdir(), 'mvvmc-'));
  try {
    const [input, output] = [join(folder, 'in.wasm'), join(folder, 'out.wasm')];
    writeFileSync(input, module);
    const optimise = (more: readonly string[]): string | undefined =>
      run(tool.path, [input, '-o', output, ...fixed, ...more]).failure;

    // A module that names its features, or uses none, passes as it is. Allowing more at once would let the optimiser
    // use what the module did without; so the rest is allowed only to modules that are refused otherwise.
    let failure = optimise([]);
    if (failure !== undefined) failure = optimise(features);
    if (failure !== undefined) throw new CompileError(wasmOptFailed(tool.path, tool.version, failure));
    if (!isFile(output)) throw new CompileError(wasmOptFailed(tool.path, tool.version, 'it wrote no module'));
    return readFileSync(output);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** `-O` flags set both levels; the two that follow correct the one that is not meant. */
function levelFlags({ optimizeLevel, shrinkLevel }: Levels): string[] {
  const combined = ['', '-Os', '-Oz'][shrinkLevel] || `-O${optimizeLevel}`;
  return [combined, `--optimize-level=${optimizeLevel}`, `--shrink-level=${shrinkLevel}`];
}

function askVersion(path: string): string {
  const { output, failure } = run(path, ['--version']);
  const version = /^wasm-opt version (\S+)/m.exec(output)?.[1];
  if (version === undefined) {
    throw new CompileError(wasmOptUnusable(path, failure ?? 'it does not answer --version with a version'));
  }
  return version;
}

function run(path: string, args: readonly string[]): { output: string; failure?: string } {
  // A script is run by this Node: Windows knows nothing of its first line.
  const command = /\.[cm]?js$/.test(path) ? [process.execPath, path] : [path];
  const [program = path, ...first] = command;
  const result = spawnSync(program, [...first, ...args], { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (result.error !== undefined) return { output: '', failure: result.error.message };
  const output = result.stdout;
  if (result.signal !== null) return { output, failure: `it was ended by ${result.signal}` };
  if (result.status !== 0) return { output, failure: firstLine(result.stderr) ?? `status ${result.status}` };
  return { output };
}

/** The reason; what follows it is the code it is about, and a summary. */
function firstLine(text: string): string | undefined {
  return text.trim().split('\n').at(0)?.trim() || undefined;
}

function findOnPath(): string | undefined {
  const names = process.platform === 'win32' ? ['wasm-opt.exe'] : ['wasm-opt'];
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isExecutable);
}

const packageManifest = z.object({ bin: z.union([z.string(), z.record(z.string(), z.string())]) });

/** The program of the npm package `wasm-opt`, as seen from the user's folder or else from ours. */
function findInPackages(): string | undefined {
  for (const from of [join(process.cwd(), 'package.json'), import.meta.url]) {
    try {
      const manifest = createRequire(from).resolve('wasm-opt/package.json');
      const { bin } = packageManifest.parse(JSON.parse(readFileSync(manifest, 'utf8')));
      const program = typeof bin === 'string' ? bin : bin['wasm-opt'];
      if (program !== undefined) return join(dirname(manifest), program);
    } catch {
      // Not installed there, or not the package we mean: the next place, or none.
    }
  }
  return undefined;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

function isExecutable(path: string): boolean {
  if (!isFile(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
