/** `mvvm inspect`: what a snapshot holds. */

import { decodingOf, readSnapshotChain } from '../../../runtime/node/index.js';
import type { InspectRequest } from './command-line.js';
import { findModule, requireSnapshot } from './given-files.js';
import { describeSnapshot } from './inspect-facts.js';
import { inspectText } from './inspect-text.js';
import { drawProgress } from './progress-line.js';
import { readStorage } from './storage-options.js';

/**
 * @returns what to print
 * @throws {FileError} when a file is not there
 * @throws {SnapshotError} for what is not a sound snapshot, or one of another module than the one named
 */
export async function inspect({ snapshot: path, target, storage, json, secrets }: InspectRequest): Promise<string> {
  requireSnapshot(path, 'check the path, or take one with mvvm checkpoint');
  const { snapshot, files } = readSnapshotChain(path, { ...decodingOf(readStorage(storage)), ...drawProgress() });
  const module = await findModule(snapshot, path, target);
  const facts = describeSnapshot(files, snapshot, module, secrets);
  return json ? `${JSON.stringify(facts)}\n` : inspectText(facts);
}
