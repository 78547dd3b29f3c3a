/**
 * The checkpoints of one run in files: a base first, then deltas that hold only what changed, then a new base.
 *
 *     write ──> base at job.snap ──> job.snap.<digest>.1 ──> .2 ──> ... ──> new base at job.snap, deltas of the old removed
 *
 * Invariant: at any moment what is at the path, and what continues it, is the state of the last checkpoint that was
 * reported, or of the one that is being written. Each file appears whole (snapshot-file-atomic.ts); a delta is durable
 * before the next one names it as its parent; a new base takes the place of the old one and ends the chain in one
 * rename, and only when it is durable is anything removed.
 */

import { basename, dirname, join } from 'node:path';
import {
  type EncodeOptions,
  encodeSnapshot,
  type PageChanges,
  type PageRun,
  PageTracker,
  type Snapshot,
  type WrittenSnapshot,
} from '../snapshot/index.js';
import { writeFileAtomically } from './snapshot-file-atomic.js';
import { findLooseLinks, linkName } from './snapshot-file-chain-names.js';
import { nodeCodecs, nodeHasher } from './snapshot-file-services.js';
import { openSnapshotFile } from './snapshot-file-source.js';
import { nodeFileSystem, type SnapshotFileSystem } from './snapshot-file-system.js';
import { meteredFiles, type TellProgress, withMeter } from './transfer-progress.js';

export interface ChainOptions extends Omit<EncodeOptions, 'delta'> {
  /** Most deltas behind a base. Default 32. */
  readonly mostDeltas?: number | undefined;
  readonly files?: SnapshotFileSystem | undefined;
  /** Told how far a file has come, when that takes more than a second. */
  readonly onProgress?: TellProgress | undefined;
}

export interface WrittenFile extends WrittenSnapshot {
  readonly kind: 'base' | 'delta';
  /** Where it is. */
  readonly file: string;
  /** Pages that were compared to find what changed. */
  readonly compared: number;
}

const MOST_DELTAS = 32;
/** The deltas of a chain together are no larger than its base, or than this many bytes. */
const SMALL_BYTES = 1 << 20;
const PAGE_BYTES = 4096;

/** The chain as far as it is durable. */
interface Chain {
  readonly base: string;
  readonly baseBytes: number;
  /** Digest of the last snapshot. */
  readonly last: string;
  readonly deltas: number;
  readonly deltaBytes: number;
}

export class SnapshotChainWriter {
  readonly #path: string;
  readonly #mostDeltas: number;
  readonly #files: SnapshotFileSystem;
  readonly #onProgress: TellProgress | undefined;
  readonly #encoding: EncodeOptions;
  #tracker = new PageTracker();
  #chain: Chain | undefined;

  constructor(path: string, options: ChainOptions = {}) {
    const { mostDeltas = MOST_DELTAS, files = nodeFileSystem, onProgress, ...encoding } = options;
    this.#path = path;
    this.#mostDeltas = mostDeltas;
    this.#files = files;
    this.#onProgress = onProgress;
    this.#encoding = { hasher: nodeHasher, codecs: nodeCodecs, ...encoding };
  }

  /**
   * Writes a checkpoint of a run that goes on: what changed since the one before, or a base where there is none to
   * continue, or the chain has become long, or is not there any more.
   * @param suspects per memory the pages that can have changed since the last call; undefined when that is not known
   * @throws {SnapshotError} with the path in its message; what was there is still there, and the next call makes good
   */
  write(snapshot: Snapshot, suspects?: readonly (readonly PageRun[])[]): WrittenFile {
    const changes = this.#tracker.changes(snapshot.memories, suspects);
    const chain = this.#chain;
    const written =
      chain !== undefined && this.#canContinue(chain, changes)
        ? this.#writeDelta(snapshot, chain, changes)
        : this.#writeBase(snapshot);
    changes.accept();
    return { ...written, compared: changes.compared };
  }

  /**
   * Writes a checkpoint as one file that needs no other: for a run that ends with it. It costs no search for changes.
   * @throws {SnapshotError} as {@link write}
   */
  writeWhole(snapshot: Snapshot): WrittenFile {
    const written = this.#writeBase(snapshot);
    this.#chain = undefined;
    this.#tracker = new PageTracker();
    return { ...written, compared: 0 };
  }

  #writeBase(snapshot: Snapshot): Omit<WrittenFile, 'compared'> {
    const written = this.#writeFile(this.#path, snapshot, this.#encoding);
    const { digest, bytes } = written;
    this.#chain = { base: digest, baseBytes: bytes, last: digest, deltas: 0, deltaBytes: 0 };
    removeLooseLinks(this.#path, digest, this.#files);
    return { ...written, kind: 'base', file: this.#path };
  }

  #writeDelta(snapshot: Snapshot, chain: Chain, { changed }: PageChanges): Omit<WrittenFile, 'compared'> {
    const file = linkName(this.#path, chain.base, chain.deltas + 1);
    const delta = { parent: chain.last, changed };
    const written = this.#writeFile(file, snapshot, { ...this.#encoding, delta });
    const { digest, bytes } = written;
    this.#chain = { ...chain, last: digest, deltas: chain.deltas + 1, deltaBytes: chain.deltaBytes + bytes };
    return { ...written, kind: 'delta', file };
  }

  #writeFile(file: string, snapshot: Snapshot, encoding: EncodeOptions): WrittenSnapshot {
    return withMeter({ action: 'write', file }, this.#onProgress, (meter) =>
      writeFileAtomically(file, encodeSnapshot(snapshot, encoding), meteredFiles(this.#files, meter)),
    );
  }

  #canContinue(chain: Chain, { changed }: PageChanges): boolean {
    const pages = changed.flat().reduce((sum, { count }) => sum + count, 0);
    const bytes = chain.deltaBytes + pages * PAGE_BYTES;
    if (chain.deltas >= this.#mostDeltas || bytes > Math.max(chain.baseBytes, SMALL_BYTES)) return false;
    return this.#isThere(chain);
  }

  /** Somebody may have moved the files away, or another run may have put its own in their place. */
  #isThere({ base, deltas }: Chain): boolean {
    try {
      for (let number = 1; number <= deltas; number++) {
        if (this.#files.kindOf(linkName(this.#path, base, number)) !== 'file') return false;
      }
      const file = openSnapshotFile(this.#path);
      const same = file.claimedDigest() === base;
      file.close();
      return same;
    } catch {
      return false;
    }
  }
}

/**
 * Removes the deltas at a path that no base there has any more. Never fails: they do no harm, and the next base is
 * followed by another attempt.
 */
export function removeLooseLinks(path: string, digest: string | undefined, files: SnapshotFileSystem): void {
  const folder = dirname(path);
  try {
    for (const name of findLooseLinks(files.list(folder), basename(path), digest)) files.remove(join(folder, name));
  } catch {
    // The snapshot is durable; that is what counts.
  }
}
