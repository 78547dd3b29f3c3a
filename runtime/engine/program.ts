/** A compiled module, loaded and understood but not yet running. */

import {
  MalformedBytes,
  type ModuleInfo,
  readModuleInfo,
  readStableMap,
  type StableMap,
  sections,
} from '../abi/index.js';
import { cannotStopIn, damagedSection, EngineError, notCompiled, notWasm } from './errors.js';

export interface Program {
  readonly module: WebAssembly.Module;
  /** SHA-256 of the module's bytes, lower-case hexadecimal: what snapshots know it by. */
  readonly hash: string;
  /** Compiler, policies and original module. */
  readonly info: ModuleInfo;
  /** What every stable point saves, and where it is. */
  readonly map: StableMap;
}

/**
 * Compiles a module that `mvvmc` has made and reads what it says about itself.
 *
 * @example
 * const program = await loadProgram(await readFile('bc.mvvm.wasm'));
 * console.log(program.info.policies, program.map.functions.length);
 *
 * @throws {EngineError} `not-wasm`, `not-compiled` or `damaged-section`
 */
export async function loadProgram(bytes: Uint8Array): Promise<Program> {
  const { module, hash } = await compileModule(bytes);
  return openProgram(module, hash);
}

/**
 * {@link loadProgram} for a module that is compiled already, in another thread for example.
 * @param hash SHA-256 of its bytes, lower-case hexadecimal
 */
export function openProgram(module: WebAssembly.Module, hash: string): Program {
  const info = readSection(module, sections.info, readModuleInfo);
  const map = readSection(module, sections.map, readStableMap);
  return { module, hash, info, map };
}

/**
 * The function that a person means: by its index in the original module, its name, or the name of an export.
 *
 * @returns its index in the stable map's functions
 * @throws {EngineError} `no-such-function` when there is none that could be stopped in
 */
export function findFunction({ map }: Program, wanted: string): number {
  const isIndex = /^\d+$/.test(wanted);
  const found = map.functions.findIndex((fn) => (isIndex ? fn.originalIndex === Number(wanted) : fn.name === wanted));
  if (found >= 0) return found;
  const exported = map.exports.find((entry) => entry.name === wanted)?.function ?? -1;
  if (exported >= 0) return exported;
  throw new EngineError(
    cannotStopIn(
      wanted,
      map.functions.map((fn) => (isIndex ? String(fn.originalIndex) : fn.name)),
    ),
  );
}

/**
 * Compiles any module, `mvvmc`'s or not.
 * @throws {EngineError} `not-wasm` with the engine's reason
 */
export async function compileModule(bytes: Uint8Array): Promise<{ module: WebAssembly.Module; hash: string }> {
  // A copy in a plain ArrayBuffer: the bytes may be shared or change while they are compiled.
  const own = Uint8Array.from(bytes);
  if (own.length < 8 || !startsLikeWasm(own)) throw new EngineError(notWasm(describeOtherFile(own)));
  try {
    const [module, digest] = await Promise.all([WebAssembly.compile(own), crypto.subtle.digest('SHA-256', own)]);
    return { module, hash: hexadecimal(new Uint8Array(digest)) };
  } catch (error) {
    throw new EngineError(notWasm(error instanceof Error ? error.message : String(error)));
  }
}

function readSection<T>(module: WebAssembly.Module, name: string, read: (bytes: Uint8Array) => T): T {
  const found = WebAssembly.Module.customSections(module, name);
  const [bytes] = found;
  if (bytes === undefined) throw new EngineError(notCompiled());
  if (found.length > 1) throw new EngineError(damagedSection(name, 'is there more than once'));
  try {
    return read(new Uint8Array(bytes));
  } catch (error) {
    if (error instanceof MalformedBytes) throw new EngineError(damagedSection(name, error.message));
    throw error;
  }
}

const MAGIC = [0x00, 0x61, 0x73, 0x6d];

function startsLikeWasm(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, index) => bytes[index] === byte) && bytes[6] === 0 && bytes[7] === 0;
}

function describeOtherFile(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'it is empty';
  if (!MAGIC.every((byte, index) => bytes[index] === byte)) return 'it does not begin with "\\0asm"';
  if (bytes.length < 8) return 'it ends within its first eight bytes';
  return 'it is a component, and only core modules are supported';
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
