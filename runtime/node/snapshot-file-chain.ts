/** Chains of snapshot files as SnapshotChainWriter leaves them: read as one state, folded into one file, removed. */

import { realpathSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  type DecodeOptions,
  decodeSnapshotChain,
  type SnapshotSource,
  type StoredSnapshot,
  type WrittenSnapshot,
} from '../snapshot/index.js';
import { type WriteFileOptions, writeSnapshotFile } from './snapshot-file.js';
import { findLinks } from './snapshot-file-chain-names.js';
import { removeLooseLinks } from './snapshot-file-chain-writer.js';
import { nameFile } from './snapshot-file-errors.js';
import { nodeCodecs, nodeHasher } from './snapshot-file-services.js';
import { openSnapshotFile, type SnapshotFileSource } from './snapshot-file-source.js';
import { nodeFileSystem } from './snapshot-file-system.js';
import { removeStaleTemporaries } from './snapshot-file-temporary.js';
import { meteredSource, type TellProgress, type TransferMeter, withMeter } from './transfer-progress.js';

export interface ReadChain {
  /** The state of the last link. */
  readonly snapshot: StoredSnapshot;
  /** The base, and the deltas in order. */
  readonly files: readonly string[];
}

export interface ReadChainOptions extends DecodeOptions {
  /** Told how far reading has come, when it takes more than a second. */
  readonly onProgress?: TellProgress | undefined;
}

interface Link {
  readonly path: string;
  readonly source: SnapshotFileSource;
}

/** A run that is still going on may replace the chain while it is being opened. */
const ATTEMPTS = 10;

/**
 * Reads the base at a path and the deltas beside it that continue it. Each is verified, and that it continues the one
 * before it. All of them are opened before any is read: what is read is one chain, also while a run goes on writing.
 * @throws {SnapshotError} with the path of the file that is wrong in its message: `snapshot/missing-link`,
 *   `snapshot/wrong-parent`, and all of `readSnapshotFile`
 */
export function readSnapshotChain(path: string, { onProgress, ...decoding }: ReadChainOptions = {}): ReadChain {
  const links = openChain(path);
  const total = links.reduce((sum, { source }) => sum + source.size, 0);
  let current = path;
  const sources = function* (meter: TransferMeter | undefined): Generator<SnapshotSource, void, void> {
    for (const link of links) {
      current = link.path;
      yield meteredSource(link.source, meter);
    }
  };
  try {
    const snapshot = withMeter({ action: 'read', file: path, total }, onProgress, (meter) =>
      decodeSnapshotChain(sources(meter), { hasher: nodeHasher, codecs: nodeCodecs, ...decoding }),
    );
    return { snapshot, files: links.map((link) => link.path) };
  } catch (error) {
    throw nameFile(error, current, 'read');
  } finally {
    closeAll(links);
  }
}

/**
 * Folds the chain at a path into one base, at the same path or elsewhere. The files of a chain elsewhere stay.
 * @throws {SnapshotError} as {@link readSnapshotChain}; nothing was changed then
 */
export function compactSnapshotChain(
  path: string,
  target: string = path,
  reading: ReadChainOptions = {},
  writing: Omit<WriteFileOptions, 'delta'> = {},
): WrittenSnapshot & { readonly folded: readonly string[] } {
  const { snapshot, files: folded } = readSnapshotChain(path, reading);
  const written = writeSnapshotFile(target, snapshot, writing);
  removeLooseLinks(target, written.digest, writing.files ?? nodeFileSystem);
  return { ...written, folded };
}

/**
 * Removes a chain, the last delta first, so that what is left at any moment is a chain; and what its writers have left behind
 * that were killed. Nothing may be there.
 */
export function removeSnapshotChain(path: string): void {
  removeLooseLinks(path, undefined, nodeFileSystem);
  rmSync(path, { force: true });
  removeStaleTemporaries(nodeFileSystem, dirname(path), basename(path));
}

function openChain(path: string): Link[] {
  for (let attempt = 1; ; attempt++) {
    const base = open(path);
    const links: Link[] = [{ path, source: base }];
    try {
      links.push(...openLinks(path, base.claimedDigest()));
      if (attempt >= ATTEMPTS || base.isStillAt(path)) return links;
    } catch (error) {
      if (attempt >= ATTEMPTS || base.isStillAt(path)) {
        closeAll(links);
        throw error;
      }
    }
    closeAll(links);
  }
}

function openLinks(path: string, digest: string): Link[] {
  // Deltas stand beside the file itself, not beside a link to it.
  const real = realpathSync(path);
  const folder = realpathSync(dirname(path)) === dirname(real) ? dirname(path) : dirname(real);
  const opened: Link[] = [];
  try {
    for (const name of findLinksIn(folder, basename(real), digest, path)) {
      const link = join(folder, name);
      opened.push({ path: link, source: open(link) });
    }
    return opened;
  } catch (error) {
    closeAll(opened);
    throw error;
  }
}

function findLinksIn(folder: string, base: string, digest: string, path: string): string[] {
  try {
    return findLinks(nodeFileSystem.list(folder), base, digest);
  } catch (error) {
    throw nameFile(error, path, 'read');
  }
}

function open(path: string): SnapshotFileSource {
  try {
    return openSnapshotFile(path);
  } catch (error) {
    throw nameFile(error, path, 'read');
  }
}

function closeAll(links: readonly Link[]): void {
  for (const { source } of links) source.close();
}
