/** `mvvm inspect`: what a snapshot holds. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { loadProgram, type Program, type StoredSnapshot } from '../../../runtime/index.js';
import { readSnapshotChain } from '../../../runtime/node/index.js';
import { fileProblem } from '../mvvmc/errors.js';
import type { InspectRequest } from './command-line.js';
import { describeSnapshot } from './inspect-facts.js';
import { inspectText } from './inspect-text.js';

/**
 * @returns what to print
 * @throws {SnapshotError} for what is not a sound snapshot, or one of another module than the one named
 */
export async function inspect({ snapshot: path, target, json, secrets }: InspectRequest): Promise<string> {
  const { snapshot, files } = readSnapshotChain(path);
  const module = await findModule(snapshot, path, target);
  const facts = describeSnapshot(files, snapshot, module, secrets);
  return json ? `${JSON.stringify(facts)}\n` : inspectText(facts);
}

/** The module that made it: the one named, or the one beside the snapshot if it is that. */
async function findModule(
  snapshot: StoredSnapshot,
  path: string,
  target: string | undefined,
): Promise<Program | undefined> {
  if (target !== undefined) return loadProgram(await readModule(target));
  const beside = `${path.replace(/\.snap$/, '')}.wasm`;
  if (!existsSync(beside)) return undefined;
  const program = await loadProgram(await readModule(beside)).catch(() => undefined);
  return program?.hash === snapshot.module.hash ? program : undefined;
}

async function readModule(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw fileProblem('read', path, error);
  }
}
