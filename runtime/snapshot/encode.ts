/**
 * Snapshot to bytes. The order of sections is the order in which a reader needs them: what the rest is about, the small
 * things, then the memories.
 */

import { type BlockCipher, randomSalt } from './cipher.js';
import type { Codecs } from './compression.js';
import { type HasherFactory, plainHasher, toHex } from './digest.js';
import { SnapshotError, unwritable } from './errors.js';
import { type Compression, PAGE_BYTES, SALT_BYTES } from './format.js';
import { writeHeader, writeWasiState } from './header.js';
import { bytesOfWords } from './little-endian.js';
import { bytesOfRuns, countPages, findStoredPages, type PageRun, type StoredPages } from './pages.js';
import { mostBodyBytes, SectionWriter } from './section-writer.js';
import type { Signer } from './signature.js';
import { type MemoryImage, type Snapshot, WASM_PAGE } from './snapshot.js';
import { type ChunkTask, chunksAsync, chunksSync } from './wait.js';

export interface EncodeOptions {
  /** How blocks are compressed; `none` by default. */
  readonly compression?: Compression | undefined;
  /** What this host has; needed for any other compression. */
  readonly codecs?: Codecs | undefined;
  /** SHA-256 of this host; a slow one of our own by default. */
  readonly hasher?: HasherFactory | undefined;
  readonly cipher?: BlockCipher | undefined;
  readonly signer?: Signer | undefined;
  /** Write only what changed since another snapshot. */
  readonly delta?: Delta | undefined;
}

export interface Delta {
  /** Digest of the snapshot that this one continues. */
  readonly parent: string;
  /** Per memory the pages that can differ from it. Pages by which a memory grew count from zeros. */
  readonly changed: readonly (readonly PageRun[])[];
}

export interface WrittenSnapshot {
  /** The digest that names it, lower-case hexadecimal. */
  readonly digest: string;
  /** Size of the whole snapshot. */
  readonly bytes: number;
  /** Pages of 4 KiB whose content it holds. */
  readonly pages: number;
}

/**
 * Puts out a snapshot in chunks of at most 512 KiB. A chunk is valid until the next one is asked for, and may be the guest's
 * memory itself. The guest must not run meanwhile.
 * @throws {SnapshotError} `snapshot/unwritable`, `snapshot/compression`, `snapshot/needs-async`
 */
export function encodeSnapshot(
  snapshot: Snapshot,
  options: EncodeOptions = {},
): Generator<Uint8Array, WrittenSnapshot, void> {
  return chunksSync(encode(snapshot, options));
}

/** {@link encodeSnapshot} for hooks that are asynchronous, as those of browsers are. */
export function encodeSnapshotAsync(
  snapshot: Snapshot,
  options: EncodeOptions = {},
): AsyncGenerator<Uint8Array, WrittenSnapshot, void> {
  return chunksAsync(encode(snapshot, options));
}

function* encode(snapshot: Snapshot, options: EncodeOptions): ChunkTask<WrittenSnapshot> {
  const { compression = 'none', codecs = {}, hasher = plainHasher, cipher, signer, delta } = options;
  snapshot.memories.forEach(checkMemory);
  const header = writeHeader(snapshot, delta?.parent);
  const words = bytesOfWords(snapshot.words);
  const tables = snapshot.tables.map(bytesOfWords);
  const tableBytes = sum(tables.map((table) => table.length));
  const wasi = alignEnd(writeWasiState(snapshot.wasi), header.length + words.length + tableBytes);
  const memories = snapshot.memories.map(({ bytes }, index) => {
    const stored = findStoredPages(bytes, changedPages(delta, index));
    return { bytes, stored, table: writeRunTable(stored), dataBytes: countPages(stored.data) * PAGE_BYTES };
  });

  const memoryBytes = memories.map(({ table, dataBytes }) => table.length + dataBytes);
  const salt = cipher === undefined ? new Uint8Array(SALT_BYTES) : randomSalt();
  const mostBytes = mostBodyBytes([header.length, wasi.length, words.length, tableBytes, ...memoryBytes, 0]);
  const pieces = hasher(mostBytes);
  try {
    const out = new SectionWriter(pieces, mostBytes, { compression, codecs, cipher, salt });
    yield* out.preamble();
    yield* out.section('HEAD', header.length, [header]);
    yield* out.section('WASI', wasi.length, [wasi]);
    yield* out.section('WORD', words.length, [words]);
    yield* out.section('TABL', tableBytes, tables);
    for (const { bytes, stored, table, dataBytes } of memories) {
      yield* out.section('MEMO', table.length + dataBytes, memoryPieces(table, bytes, stored.data));
    }
    yield* out.section('END ', 0, []);
    const written = yield* out.trailer(signer);
    const pages = sum(memories.map(({ stored }) => countPages(stored.data)));
    return { digest: toHex(written.digest), bytes: written.bytes, pages };
  } finally {
    pieces.close?.();
  }
}

/**
 * JSON with spaces behind it, so that it and `others` bytes are a multiple of 8 together. Everything else in a snapshot is,
 * and so memory stands in the file as it stands in the guest: engines copy it several times faster.
 */
function alignEnd(json: Uint8Array, others: number): Uint8Array {
  const spaces = (8 - ((json.length + others) % 8)) % 8;
  const aligned = new Uint8Array(json.length + spaces).fill(0x20, json.length);
  aligned.set(json);
  return aligned;
}

function checkMemory({ bytes, pages }: MemoryImage, index: number): void {
  if (bytes.length === pages * WASM_PAGE) return;
  throw new SnapshotError(unwritable(`memory ${index} has ${bytes.length} bytes, not ${pages} pages`));
}

function changedPages(delta: Delta | undefined, memory: number): readonly PageRun[] | undefined {
  if (delta === undefined) return undefined;
  const changed = delta.changed[memory];
  if (changed === undefined) throw new SnapshotError(unwritable(`nothing says what changed in memory ${memory}`));
  return changed;
}

/** Number of data runs, number of zero runs, then each run as first page and number of pages. */
function writeRunTable({ data, zero }: StoredPages): Uint8Array {
  const numbers = [data.length, zero.length];
  for (const { first, count } of [...data, ...zero]) numbers.push(first, count);
  return bytesOfWords(Uint32Array.from(numbers));
}

function* memoryPieces(table: Uint8Array, memory: Uint8Array, data: readonly PageRun[]): Generator<Uint8Array> {
  yield table;
  yield* bytesOfRuns(memory, data);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, value) => total + value, 0);
}
