/** The files that commands are given: modules and snapshots. What is wrong with one names it, and says what to do. */

import { existsSync } from 'node:fs';
import { loadProgram, type Program, type StoredSnapshot } from '../../../runtime/index.js';
import { FileError } from '../errors.js';
import { readFile } from '../read-file.js';

/**
 * A pipe that nobody writes to would wait, deaf to the signals that ask for a checkpoint.
 * @throws {FileError}
 */
export function readModule(path: string): Promise<Uint8Array> {
  return readFile(path, 'refuse');
}

/**
 * Loads a module that mvvmc has compiled.
 * @throws {FileError}
 */
export async function loadModule(path: string): Promise<Program> {
  const bytes = await readModule(path);
  try {
    return await loadProgram(bytes);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    throw new FileError(
      `${path}: ${error.message}`,
      error.code === 'not-compiled' ? howToCompile(path) : hintOf(error),
    );
  }
}

/**
 * The module that made a snapshot: the one named, or the one beside it if it is that.
 * @throws {FileError} for the one named
 */
export async function findModule(
  snapshot: StoredSnapshot,
  path: string,
  target: string | undefined,
): Promise<Program | undefined> {
  if (target !== undefined) return loadModule(target);
  const beside = `${path.replace(/\.snap$/, '')}.wasm`;
  if (!existsSync(beside)) return undefined;
  const program = await loadModule(beside).catch(() => undefined);
  return program?.hash === snapshot.module.hash ? program : undefined;
}

function howToCompile(path: string): string {
  return `compile it: mvvmc -o ${path.replace(/\.wasm$/, '')}.mvvm.wasm ${path}, or run it with mvvm run --plain`;
}

function hintOf(error: Error): string | undefined {
  return 'hint' in error ? String(error.hint) : undefined;
}

/**
 * That there is no snapshot is the commonest mistake, and needs a better hint than any file's.
 * @throws {FileError}
 */
export function requireSnapshot(path: string, hint: string): void {
  if (!existsSync(path)) throw new FileError(`there is no snapshot ${path}`, hint);
}
