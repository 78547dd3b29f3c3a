/** `mvvm snapshot`: what can be done with snapshot files, without running anything. */

import { isSnapshotError, validateSnapshot } from '../../../runtime/index.js';
import {
  compactSnapshotChain,
  decodingOf,
  encodingOf,
  type ReadChain,
  readSnapshotChain,
} from '../../../runtime/node/index.js';
import { findModule, requireSnapshot } from './given-files.js';
import { compactedText, describeFailure, verifiedText } from './messages.js';
import { drawProgress } from './progress-line.js';
import type { CompactRequest, VerifyRequest } from './snapshot-options.js';
import { readStorage } from './storage-options.js';

/** The answer of `mvvm snapshot verify --json`. */
export type VerifyFacts = SoundFacts | UnsoundFacts;

export interface SoundFacts {
  readonly file: string;
  readonly sound: true;
  /** The files of the deltas that continue it, in order. */
  readonly deltas: readonly string[];
  /** SHA-256 of the last link, hexadecimal. */
  readonly digest: string;
  /** The Ed25519 public key in hexadecimal, when a signature was asked for and is right. */
  readonly signedBy?: string;
  /** SHA-256 of the module that made it, hexadecimal. */
  readonly module: string;
  /** Whether frames, globals and tables were compared with that module: not without it. */
  readonly fits: boolean;
}

export interface UnsoundFacts {
  readonly file: string;
  readonly sound: false;
  /** Stable; docs/troubleshooting.md explains it. */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/**
 * @returns what to tell the person
 * @throws {FileError} when there is nothing
 * @throws {SnapshotError} when it is not a sound chain
 */
export function compact({ snapshot, output, storage: wanted }: CompactRequest): string {
  requireSnapshot(snapshot, 'check the path');
  const storage = readStorage(wanted);
  const reading = { ...decodingOf(storage), ...drawProgress() };
  const writing = { ...encodingOf(storage), ...drawProgress() };
  const { bytes, folded } = compactSnapshotChain(snapshot, output, reading, writing);
  return compactedText(output, bytes, folded.length - 1);
}

/**
 * Reads a chain as a restore does, and runs nothing.
 * @returns what goes to which stream, and the status
 * @throws {FileError} when a file is not there
 */
export async function verify({ snapshot: file, target, storage, json, debug }: VerifyRequest): Promise<{
  readonly stdout: string;
  readonly stderr: string;
  readonly status: 0 | 1 | 2;
}> {
  requireSnapshot(file, 'check the path');
  const reading = { ...decodingOf(readStorage(storage)), ...drawProgress() };
  try {
    const facts = await findFacts(file, readSnapshotChain(file, reading), target);
    return { stdout: json ? `${JSON.stringify(facts)}\n` : verifiedText(facts), stderr: '', status: 0 };
  } catch (error) {
    if (!isSnapshotError(error)) throw error;
    const { code, message, hint } = error;
    const facts: UnsoundFacts = { file, sound: false, code, message, hint };
    if (json) return { stdout: `${JSON.stringify(facts)}\n`, stderr: '', status: 1 };
    const { text, status } = describeFailure(error, debug);
    return { stdout: '', stderr: text, status };
  }
}

async function findFacts(
  file: string,
  { snapshot, files }: ReadChain,
  target: string | undefined,
): Promise<SoundFacts> {
  const program = await findModule(snapshot, file, target);
  if (program !== undefined) validateSnapshot(snapshot, program);
  const { digest, signedBy, module } = snapshot;
  return {
    file,
    sound: true,
    deltas: files.slice(1),
    digest,
    ...(signedBy === undefined ? {} : { signedBy }),
    module: module.hash,
    fits: program !== undefined,
  };
}
