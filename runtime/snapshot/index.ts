/** The snapshot format: what a snapshot is, how it is stored, and how it is checked. Runs in any JavaScript engine. */

export * from './chain.js';
export type { BlockCipher, BlockPosition } from './cipher.js';
export { type Codec, type Codecs, codecFor, webCodecs } from './compression.js';
export { type DecodeOptions, decodeSnapshot, decodeSnapshotAsync } from './decode.js';
export { type HasherFactory, hasherFrom, type PieceHasher, plainHasher, webHasher } from './digest.js';
export * from './encode.js';
export {
  inFile,
  ioFailed,
  isSnapshotError,
  missingLink,
  notAFile,
  type SnapshotDiagnostic,
  SnapshotError,
  type SnapshotErrorCode,
  snapshotErrorCodes,
} from './errors.js';
export { type Compression, FORMAT_VERSION, MAGIC, PAGE_BYTES } from './format.js';
export type { SnapshotHeader } from './header.js';
export { dirtyPages, type PageChanges, PageTracker } from './page-tracker.js';
export type { PageRun } from './pages.js';
export type { TargetMemory } from './read-memory.js';
export { type SignatureCheck, type Signer, webVerify } from './signature.js';
export * from './snapshot.js';
export * from './source.js';
export type { DecodedSlot, ExactValue } from './stack-values.js';
export { type DecodedFrame, type DecodedStack, validateFrames } from './validate-frames.js';
export { type ModuleAtHand, validateHeader, validateSnapshot } from './validate-snapshot.js';
export { WrittenPages } from './written-pages.js';
