/** What a snapshot holds, whatever the format it is stored in. */

import type { Policy } from '../abi/index.js';

/** Bytes of a WebAssembly page. */
export const WASM_PAGE = 65_536;

/** The compiled module that was running; a snapshot continues in no other. */
export interface SnapshotModule {
  /** SHA-256 of the compiled module, lower-case hexadecimal. */
  readonly hash: string;
  /** SHA-256 of the module it was compiled from. */
  readonly original: string;
  readonly policies: readonly Policy[];
  readonly thresholdBits: number;
  /** Version of the compiler. */
  readonly compiler: string;
  /** Version of the contract between module and runtime. */
  readonly abi: number;
}

export interface MemoryImage {
  /** Size in WebAssembly pages of 64 KiB. */
  readonly pages: number;
  /** Exactly `pages * 65536` bytes. When writing, a view of the guest's memory: nothing is copied. */
  readonly bytes: Uint8Array;
}

/** The whole state of a stopped program. */
export interface Snapshot {
  readonly module: SnapshotModule;
  /** When the program was stopped, ISO 8601 in UTC. */
  readonly createdAt: string;
  /** The export that was running (`_start`, `mvvm.start`, ...). */
  readonly entry: string;
  /** Exports still to be called after `entry` returns (`['_start']` while the start function runs). */
  readonly following: readonly string[];
  /** Stable points passed so far. */
  readonly stablePoints: number;
  /** Number of the stable point where it stopped. */
  readonly point: number;
  /** The stream of 32-bit words (docs/abi.md), bottom first. */
  readonly words: Uint32Array;
  readonly memories: readonly MemoryImage[];
  /** Per table its elements: -1 for null, else n of `mvvm.func.n`. */
  readonly tables: readonly Int32Array[];
  /** State of the WASI layer: plain JSON data, which that layer checks by its own schema. */
  readonly wasi: unknown;
}

/** A snapshot that was read and whose digest was verified. */
export interface StoredSnapshot extends Snapshot {
  /** The digest that names this snapshot, lower-case hexadecimal (docs/snapshot-format.md, "Digest"). */
  readonly digest: string;
  /** Digest of the snapshot this one continues; undefined for a base. */
  readonly parent: string | undefined;
  /** Ed25519 public key whose signature was verified, hexadecimal; undefined when none was required. */
  readonly signedBy: string | undefined;
}

/** What a reader is willing to believe. Checked before anything is allocated. */
export interface SnapshotLimits {
  /** Bytes of the whole file. */
  readonly bytes: number;
  readonly memories: number;
  /** WebAssembly pages (64 KiB), per memory. */
  readonly memoryPages: number;
  /** Words of the stream. */
  readonly words: number;
  readonly tables: number;
  /** Elements, per table. */
  readonly tableElements: number;
  /** Bytes of the WASI state. */
  readonly wasiBytes: number;
}

/** As much as a WebAssembly engine could use; a host with less to spare gives lower ones. */
export const defaultLimits: SnapshotLimits = {
  bytes: 6 * 2 ** 30,
  memories: 100,
  memoryPages: 65_536,
  words: 2 ** 26,
  tables: 100,
  tableElements: 10_000_000,
  wasiBytes: 2 ** 28,
};
