/**
 * Bytes to snapshot. Whatever is wrong is found before anything is handed out: the file is read once, front to back,
 * every number is checked before it is believed, and the digest decides in the end. When the digest does not fit, that
 * is what is reported, whichever check stumbled over the damage first.
 */

import type { BlockCipher } from './cipher.js';
import type { Codecs } from './compression.js';
import { type HasherFactory, plainHasher, sameBytes, toHex } from './digest.js';
import {
  badMagic,
  isSnapshotError,
  malformed,
  needsCipher,
  notEncrypted,
  overLimit,
  SnapshotError,
  truncated,
  unknownVersion,
} from './errors.js';
import { FLAG_ENCRYPTED, FORMAT_VERSION, HEADER_LIMIT, MAGIC, PREAMBLE_BYTES } from './format.js';
import { readHeader, readWasiState, type SnapshotHeader } from './header.js';
import { wordsOfBytes } from './little-endian.js';
import { checkContinuation, readMemory, type TargetMemory } from './read-memory.js';
import { SectionReader } from './section-reader.js';
import { checkSignature, type SignatureCheck } from './signature.js';
import { defaultLimits, type MemoryImage, type SnapshotLimits, type StoredSnapshot } from './snapshot.js';
import { bytesSource, type SnapshotSource } from './source.js';
import { MINIMUM_BYTES, VerifiedInput } from './verified-input.js';
import { runAsync, runSync, type Task, wait } from './wait.js';

export interface DecodeOptions {
  /** What to believe at most; {@link defaultLimits} for what is not given. */
  readonly limits?: Partial<SnapshotLimits> | undefined;
  readonly codecs?: Codecs | undefined;
  readonly hasher?: HasherFactory | undefined;
  readonly cipher?: BlockCipher | undefined;
  /** Makes a signature by a trusted key a condition. */
  readonly signature?: SignatureCheck | undefined;
  /**
   * Called with the header before anything large is read or allocated; throws to refuse. The digest was not verified
   * yet: good for refusing early, not for believing.
   */
  readonly accept?: ((header: SnapshotHeader) => void) | undefined;
  /**
   * Where to put the memories: straight into the guest's. By default new arrays are made. What was put there is
   * worthless when reading fails.
   */
  readonly memory?: TargetMemory | undefined;
}

/**
 * Reads a base snapshot.
 * @throws {SnapshotError} for everything that is not one, with the code that says why
 */
export function decodeSnapshot(source: Uint8Array | SnapshotSource, options: DecodeOptions = {}): StoredSnapshot {
  return runSync(decode(source, options));
}

/** {@link decodeSnapshot} for sources and hooks that are asynchronous, as those of browsers are. */
export function decodeSnapshotAsync(
  source: Uint8Array | SnapshotSource,
  options: DecodeOptions = {},
): Promise<StoredSnapshot> {
  return runAsync(decode(source, options));
}

/**
 * Reads one snapshot.
 * @param previous the snapshot that a delta continues. Its memories are changed in place, whether reading succeeds or not
 */
export function* decode(
  from: Uint8Array | SnapshotSource,
  options: DecodeOptions,
  previous?: StoredSnapshot,
): Task<StoredSnapshot> {
  const source = ArrayBuffer.isView(from) ? bytesSource(from) : from;
  const limits = { ...defaultLimits, ...options.limits };
  if (source.size > limits.bytes) throw new SnapshotError(overLimit('bytes', source.size, limits.bytes));
  if (source.size < MINIMUM_BYTES) throw yield* tooShort(source);
  const hasher = (options.hasher ?? plainHasher)(source.size);
  try {
    return yield* decodeHashed(new VerifiedInput(source, hasher), options, limits, previous);
  } finally {
    hasher.close?.();
  }
}

function* decodeHashed(
  input: VerifiedInput,
  options: DecodeOptions,
  limits: SnapshotLimits,
  previous: StoredSnapshot | undefined,
): Task<StoredSnapshot> {
  const preamble = yield* readPreamble(input);
  let contents: Omit<StoredSnapshot, 'digest' | 'signedBy'>;
  try {
    contents = yield* readSections(input, preamble, options, limits, previous);
  } catch (error) {
    // Bytes behind the end explain a digest that does not fit, and no other damage looks like them.
    if (!isSnapshotError(error) || error.code !== 'snapshot/trailing-bytes') yield* input.verify();
    throw error;
  }
  const { digest, signature } = yield* input.verify();
  const signedBy =
    options.signature === undefined ? undefined : yield* checkSignature(digest, signature, options.signature);
  return { ...contents, digest: toHex(digest), signedBy };
}

/** Too short for any snapshot: the beginning of one, or something else? */
function* tooShort(source: SnapshotSource): Task<SnapshotError> {
  const start = new Uint8Array(MAGIC.length);
  const count = yield* wait(source.read(start));
  const ours = count > 0 && sameBytes(start.subarray(0, count), MAGIC.subarray(0, count));
  return new SnapshotError(ours ? truncated(source.size, MINIMUM_BYTES) : badMagic(count));
}

/** What must be right before the rest means anything: these bytes are ours, and in a version that we know. */
function* readPreamble(input: VerifiedInput): Task<Uint8Array> {
  const preamble = yield* input.take(PREAMBLE_BYTES);
  if (!sameBytes(preamble.subarray(0, MAGIC.length), MAGIC)) throw new SnapshotError(badMagic(PREAMBLE_BYTES));
  const version = viewOf(preamble).getUint32(8, true);
  if (version !== FORMAT_VERSION) throw new SnapshotError(unknownVersion(version, FORMAT_VERSION));
  return preamble;
}

function* readSections(
  input: VerifiedInput,
  preamble: Uint8Array,
  options: DecodeOptions,
  limits: SnapshotLimits,
  previous: StoredSnapshot | undefined,
): Task<Omit<StoredSnapshot, 'digest' | 'signedBy'>> {
  const salt = readSalt(preamble, options.cipher);
  const sections = new SectionReader(input, { codecs: options.codecs ?? {}, cipher: options.cipher, salt });

  const header = readHeader(yield* sections.take(yield* sections.open('HEAD', HEADER_LIMIT)), limits);
  checkContinuation(header, previous);
  options.accept?.(header);

  const wasi = readWasiState(yield* sections.take(yield* sections.open('WASI', limits.wasiBytes)));
  yield* sections.openSized('WORD', header.words * 4);
  const words = wordsOfBytes(yield* sections.take(header.words * 4));
  yield* sections.openSized(
    'TABL',
    header.tables.reduce((sum, elements) => sum + elements * 4, 0),
  );
  const tables: Int32Array[] = [];
  for (const elements of header.tables) tables.push(readTable(yield* sections.take(elements * 4)));
  const memories: MemoryImage[] = [];
  for (const pages of header.memories) {
    memories.push(yield* readMemory(sections, memories.length, pages, options.memory, previous));
  }
  yield* sections.openSized('END ', 0);
  sections.end();

  const { module, createdAt, entry, following, stablePoints, point, parent } = header;
  return { module, createdAt, entry, following, stablePoints, point, words, memories, tables, wasi, parent };
}

function readSalt(preamble: Uint8Array, cipher: BlockCipher | undefined): Uint8Array {
  const flags = viewOf(preamble).getUint32(12, true);
  const salt = preamble.subarray(16);
  if ((flags & ~FLAG_ENCRYPTED) !== 0) throw new SnapshotError(malformed(`has unknown flags ${flags}`));
  const encrypted = flags === FLAG_ENCRYPTED;
  if (encrypted && cipher === undefined) throw new SnapshotError(needsCipher());
  if (!encrypted && cipher !== undefined) throw new SnapshotError(notEncrypted());
  if (!encrypted && salt.some((byte) => byte !== 0)) throw new SnapshotError(malformed('has a salt without need'));
  return salt;
}

function readTable(bytes: Uint8Array): Int32Array {
  const words = wordsOfBytes(bytes);
  return new Int32Array(words.buffer, words.byteOffset, words.length);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
