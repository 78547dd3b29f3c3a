/** The header: what the snapshot is about, and how large everything behind it is. Strict JSON, strict schema. */

import * as z from 'zod';
import { decodeUtf8, encodeUtf8, policies } from '../abi/index.js';
import { badHeader, badJson, overLimit, type SnapshotDiagnostic, SnapshotError, unwritable } from './errors.js';
import { HEADER_LIMIT } from './format.js';
import type { Snapshot, SnapshotLimits, SnapshotModule } from './snapshot.js';
import { parseStrictJson } from './strict-json.js';

export interface SnapshotHeader {
  readonly module: SnapshotModule;
  /** Digest of the snapshot that this one continues; absent in a base. */
  readonly parent?: string | undefined;
  readonly createdAt: string;
  readonly entry: string;
  readonly following: readonly string[];
  readonly stablePoints: number;
  readonly point: number;
  /** Words of the stream. */
  readonly words: number;
  /** Pages of 64 KiB of each memory. */
  readonly memories: readonly number[];
  /** Elements of each table. */
  readonly tables: readonly number[];
}

const hash = z.string().regex(/^[0-9a-f]{64}$/, 'is not a SHA-256 in lower-case hexadecimal');
const count = z.number().int().nonnegative();
const name = z.string().max(65_536);

const schema: z.ZodType<SnapshotHeader> = z.strictObject({
  module: z.strictObject({
    hash,
    original: hash,
    policies: z.array(z.enum(policies)).min(1).max(policies.length),
    thresholdBits: z.number().int().min(0).max(30),
    compiler: z.string().max(256),
    abi: count,
  }),
  parent: hash.optional(),
  createdAt: z.iso.datetime(),
  entry: name,
  // Today at most one export follows the running one; the bound leaves room and keeps the list a list of names.
  following: z.array(name).max(16),
  stablePoints: count,
  point: count,
  words: count,
  memories: z.array(count),
  tables: z.array(count),
});

/** @throws {SnapshotError} `snapshot/unwritable` for a state that no reader would accept */
export function writeHeader(snapshot: Snapshot, parent: string | undefined): Uint8Array {
  const header: SnapshotHeader = {
    module: snapshot.module,
    ...(parent === undefined ? {} : { parent }),
    createdAt: snapshot.createdAt,
    entry: snapshot.entry,
    following: snapshot.following,
    stablePoints: snapshot.stablePoints,
    point: snapshot.point,
    words: snapshot.words.length,
    memories: snapshot.memories.map((memory) => memory.pages),
    tables: snapshot.tables.map((table) => table.length),
  };
  const text = JSON.stringify(header);
  checkHeader(text, unwritable);
  return encodeUtf8(text);
}

/**
 * @throws {SnapshotError} `snapshot/header` for a header that is damaged, `snapshot/limit` for one that claims more
 *   than the reader allows
 */
export function readHeader(bytes: Uint8Array, limits: SnapshotLimits): SnapshotHeader {
  const header = checkHeader(bytes, badHeader);
  const within = (what: string, claimed: number, limit: number): void => {
    if (claimed > limit) throw new SnapshotError(overLimit(what, claimed, limit));
  };
  within('words of stack', header.words, limits.words);
  within('memories', header.memories.length, limits.memories);
  for (const pages of header.memories) within('pages of memory', pages, limits.memoryPages);
  within('tables', header.tables.length, limits.tables);
  for (const elements of header.tables) within('table elements', elements, limits.tableElements);
  return header;
}

/** @throws {SnapshotError} `snapshot/unwritable` for a state that is not plain JSON data */
export function writeWasiState(state: unknown): Uint8Array {
  const text: unknown = JSON.stringify(state ?? null);
  if (typeof text !== 'string') throw new SnapshotError(unwritable('its WASI state is not JSON data'));
  parseJson(text, unwritable);
  return encodeUtf8(text);
}

/** @throws {SnapshotError} `snapshot/json` */
export function readWasiState(bytes: Uint8Array): unknown {
  return parseJson(bytes, badJson);
}

function checkHeader(text: Uint8Array | string, diagnostic: (why: string) => SnapshotDiagnostic): SnapshotHeader {
  if (text.length > HEADER_LIMIT) throw new SnapshotError(diagnostic(`its header has more than ${HEADER_LIMIT} bytes`));
  const parsed = schema.safeParse(parseJson(text, diagnostic));
  if (!parsed.success) throw new SnapshotError(diagnostic(oneLine(parsed.error)));
  return parsed.data;
}

function parseJson(text: Uint8Array | string, diagnostic: (why: string) => SnapshotDiagnostic): unknown {
  try {
    return parseStrictJson(typeof text === 'string' ? text : decodeUtf8(text));
  } catch (error) {
    throw new SnapshotError(diagnostic(error instanceof Error ? error.message : String(error)));
  }
}

function oneLine(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'header'}: ${issue.message}`).join('; ');
}
