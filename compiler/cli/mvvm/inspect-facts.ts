/** What can be told about a snapshot, as plain data: the answer of `mvvm inspect --json`. */

import {
  type DecodedSlot,
  type Program,
  readSavedSystem,
  type SocketAddress,
  type StoredSnapshot,
  showAddress,
  validateSnapshot,
  type WasiState,
} from '../../../runtime/index.js';

/** Pages of memory are looked at in pieces of this many bytes. */
const PIECE_BYTES = 4096;

export interface FrameFacts {
  readonly function: string;
  /** Function index in the original module, -1 for one that an optimisation made. */
  readonly functionIndex: number;
  readonly point: number;
  readonly kind: string;
  readonly ordinal: number;
  /** Those that are live. */
  readonly slots: readonly DecodedSlot[];
}

export interface RegionFacts {
  readonly start: number;
  /** Behind the last byte. */
  readonly end: number;
}

export interface MemoryFacts {
  readonly pages: number;
  readonly bytes: number;
  /** Ranges of pieces of 4 KiB in which anything but zeros is. */
  readonly regions: readonly RegionFacts[];
}

export interface DescriptorFacts {
  readonly fd: number;
  readonly kind: string;
  readonly name: string;
  /** Bytes, for a file. */
  readonly offset?: number;
}

/** What {@link describeSnapshot} finds only with the module at hand. */
export interface StackFacts {
  /** Outermost first. */
  readonly frames: readonly FrameFacts[];
  readonly globals: readonly DecodedSlot[];
  readonly droppedSegments: readonly number[];
}

export interface SnapshotFacts {
  readonly file: string;
  /** The files of the deltas that continue it, in order. */
  readonly deltas: readonly string[];
  readonly digest: string;
  /** The Ed25519 public key in hexadecimal, when a signature was asked for and is right. */
  readonly signedBy?: string;
  readonly module: StoredSnapshot['module'];
  readonly createdAt: string;
  readonly entry: string;
  readonly following: readonly string[];
  readonly stablePoints: number;
  readonly point: number;
  readonly stackWords: number;
  /** Absent when the module is not at hand. */
  readonly stack?: StackFacts;
  readonly memories: readonly MemoryFacts[];
  readonly tables: readonly { readonly elements: number; readonly nulls: number }[];
  /** Absent when the program ran without WASI. */
  readonly descriptors?: readonly DescriptorFacts[];
  readonly deterministic?: boolean;
  /** Only when secrets are asked for. */
  readonly arguments?: readonly string[];
  readonly environment?: readonly string[];
}

/**
 * @param files the base, and the deltas that continue it
 * @param program the module that made it; without it frames and globals cannot be told apart
 * @throws {SnapshotError} when it does not fit the program
 */
export function describeSnapshot(
  [file = '', ...deltas]: readonly string[],
  snapshot: StoredSnapshot,
  program: Program | undefined,
  secrets: boolean,
): SnapshotFacts {
  const { digest, signedBy, module, createdAt, entry, stablePoints, point } = snapshot;
  return {
    file,
    deltas,
    digest,
    ...(signedBy === undefined ? {} : { signedBy }),
    module,
    createdAt,
    entry,
    following: snapshot.following,
    stablePoints,
    point,
    stackWords: snapshot.words.length,
    ...(program === undefined ? {} : { stack: describeStack(snapshot, program) }),
    memories: snapshot.memories.map(({ pages, bytes }) => ({
      pages,
      bytes: bytes.length,
      regions: [...findRegions(bytes)],
    })),
    tables: snapshot.tables.map((elements) => ({
      elements: elements.length,
      nulls: elements.filter((known) => known === -1).length,
    })),
    ...describeWasi(snapshot.wasi, secrets),
  };
}

function describeStack(snapshot: StoredSnapshot, program: Program): StackFacts {
  const { frames, globals, droppedSegments } = validateSnapshot(snapshot, program);
  return {
    globals,
    droppedSegments,
    frames: frames.map(({ point, kind, function: fn, slots }) => ({
      function: fn.name,
      functionIndex: fn.originalIndex,
      point,
      kind,
      ordinal: fn.points[point - fn.firstPoint]?.ordinal ?? 0,
      slots: slots.filter((slot) => slot.live),
    })),
  };
}

function* findRegions(bytes: Uint8Array): Generator<RegionFacts> {
  const zeros = Buffer.alloc(PIECE_BYTES);
  let start: number | undefined;
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    const piece = bytes.subarray(at, at + PIECE_BYTES);
    const isEmpty = Buffer.compare(piece, zeros.subarray(0, piece.length)) === 0;
    if (!isEmpty) start ??= at;
    if (!isEmpty || start === undefined) continue;
    yield { start, end: at };
    start = undefined;
  }
  if (start !== undefined) yield { start, end: bytes.length };
}

function describeWasi(
  state: unknown,
  secrets: boolean,
): Pick<SnapshotFacts, 'descriptors' | 'deterministic' | 'arguments' | 'environment'> {
  if (state === null) return {};
  const { wasi } = readSavedSystem(state);
  return {
    descriptors: wasi.descriptors.map(describeDescriptor),
    deterministic: wasi.clocks.virtual,
    ...(secrets ? { arguments: wasi.args ?? [], environment: wasi.env ?? [] } : {}),
  };
}

function describeDescriptor({ fd, descriptor }: WasiState['descriptors'][number]): DescriptorFacts {
  if (descriptor.kind === 'stdio') return { fd, kind: descriptor.kind, name: descriptor.stream };
  if (descriptor.kind === 'socket')
    return { fd, kind: `${descriptor.network.phase} socket`, name: socketName(descriptor.network) };
  const { preopen, path } = descriptor.place;
  const name = [preopen, ...path].join('/').replace(/^\/\//, '/');
  if (descriptor.kind === 'file') return { fd, kind: descriptor.kind, name, offset: descriptor.offset };
  return { fd, kind: descriptor.preopened ? 'granted directory' : descriptor.kind, name };
}

function socketName({
  local,
  remote,
}: {
  readonly local: SocketAddress | null;
  readonly remote: SocketAddress | null;
}): string {
  const own = local === null ? 'no address' : showAddress(local);
  return remote === null ? own : `${own} to ${showAddress(remote)}`;
}
