/**
 * What the two threads of a run tell each other: the job that the main thread gives, the messages that come back, and
 * the shared words through which a request reaches a guest that is busy or asleep.
 */

import type { MessagePort } from 'node:worker_threads';
import type { PointProfile, WasmValue } from '../engine/index.js';
import type { Snapshot } from '../snapshot/index.js';
import type { AddressGrant } from '../wasi/index.js';
import type { NetworkEnd } from './network-messages.js';
import type { SnapshotStorage } from './snapshot-storage.js';
import type { TransferProgress } from './transfer-progress.js';

/** A directory of this machine that a guest may use. */
export interface GrantedDirectory {
  /** What the guest calls it. */
  readonly guest: string;
  /** Path on this machine. */
  readonly host: string;
  readonly readOnly?: boolean;
  /** What to do, on restore, about an open file that has changed since. Default `refuse`. */
  readonly onChangedFile?: 'refuse' | 'accept';
}

/** Where a guest's standard input comes from. */
export type GuestInput =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  /** Descriptor 0, which can be read without waiting: a regular file. */
  | { readonly kind: 'file' }
  /** Descriptor 0, read by the main thread. */
  | {
      readonly kind: 'mailbox';
      readonly words: SharedArrayBuffer;
      readonly bytes: SharedArrayBuffer;
      readonly port: MessagePort;
      readonly isTty: boolean;
    };

/** How a guest begins. */
export type Beginning =
  | { readonly kind: 'start'; readonly entry?: string; readonly entryArguments?: readonly (WasmValue | string)[] }
  | { readonly kind: 'restore'; readonly from: Snapshot | string }
  /** A module that mvvmc has not touched: it cannot be stopped. */
  | {
      readonly kind: 'plain';
      readonly bytes: Uint8Array;
      readonly entry?: string;
      readonly entryArguments?: readonly (WasmValue | string)[];
    };

/** The network that a guest may use. */
export interface GuestNetworkJob extends NetworkEnd {
  readonly addresses: readonly AddressGrant[];
  readonly connections?: 'reconnect' | 'fail';
}

export interface GuestJob {
  readonly module: WebAssembly.Module;
  readonly hash: string;
  readonly beginning: Beginning;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  readonly directories: readonly GrantedDirectory[];
  /** Undefined for a guest without a network. */
  readonly network?: GuestNetworkJob;
  /** Seed of virtual clocks and seeded randomness; undefined for the host's. */
  readonly deterministic?: number;
  readonly input: GuestInput;
  /** Whether output goes to this process's own streams or to the main thread, as messages. */
  readonly output: 'inherit' | 'messages';
  /** File for snapshots; without one they come as messages. */
  readonly snapshotFile?: string;
  readonly storage: SnapshotStorage;
  readonly atPoint?: number;
  readonly atEntry?: { readonly function: number; readonly count: number };
  /** Whether to count how often each stable point is passed. */
  readonly profile: boolean;
  /** Whether to tell how far long transfers of snapshots have come. */
  readonly progress: boolean;
  /** See {@link controlWords}. */
  readonly control: SharedArrayBuffer;
}

/**
 * Words of {@link GuestJob.control}. The first is what a sleeping guest sleeps on; the last is 1 when the main thread has
 * been told that a transfer is over.
 */
export const controlWords = { wake: 0, request: 1, heardEnd: 2, count: 3 } as const;

/** Values of the request word. A larger one replaces a smaller one. */
export const requests = { none: 0, goOn: 1, stop: 2 } as const;

export interface CheckpointReport {
  /** Where the snapshot is, when it was written to a file. */
  readonly file?: string;
  /** Whether that file is whole in itself, or continues those before it (docs/snapshot-format.md, "Files"). */
  readonly kind?: 'base' | 'delta';
  /** The snapshot itself, when it was not. */
  readonly snapshot?: Uint8Array;
  /** Its size. */
  readonly bytes: number;
  /** Milliseconds from the frames leaving until the snapshot was written. */
  readonly milliseconds: number;
  /** Stable points passed since the program's first start. */
  readonly stablePoints: number;
  /** Number of the stable point where it stopped. */
  readonly point: number;
  /** Whether the guest goes on here. */
  readonly goesOn: boolean;
}

export interface RunStatistics {
  /** Stable points passed in this process. */
  readonly stablePoints: number;
  readonly checkpoints: readonly { readonly milliseconds: number; readonly bytes: number }[];
  /** Milliseconds that the guest ran. */
  readonly milliseconds: number;
}

/** An error as it crosses threads. */
export interface ErrorReport {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly hint?: string;
  readonly stack?: string;
}

/** How a run in a worker ended. */
export type WorkerOutcome =
  | {
      readonly kind: 'finished';
      readonly results: readonly WasmValue[];
      readonly exitStatus: number;
      readonly statistics: RunStatistics;
    }
  | { readonly kind: 'checkpointed'; readonly report: CheckpointReport; readonly statistics: RunStatistics }
  | { readonly kind: 'trapped'; readonly error: ErrorReport; readonly statistics: RunStatistics };

export type GuestMessage =
  | { readonly kind: 'over'; readonly outcome: WorkerOutcome }
  | { readonly kind: 'failed'; readonly error: ErrorReport }
  | { readonly kind: 'checkpoint'; readonly report: CheckpointReport }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'progress'; readonly progress: TransferProgress }
  | { readonly kind: 'profile'; readonly profile: PointProfile }
  | { readonly kind: 'log'; readonly text: string }
  | { readonly kind: 'output'; readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array };

/** Everything of an error that another thread can show. */
export function reportError(error: unknown): ErrorReport {
  if (typeof error !== 'object' || error === null || !('message' in error)) {
    return { name: 'Error', message: String(error) };
  }
  const text = (key: 'code' | 'hint' | 'stack'): { readonly [k in typeof key]?: string } => {
    const value: unknown = Reflect.get(error, key);
    return typeof value === 'string' && value !== '' ? { [key]: value } : {};
  };
  const name: unknown = Reflect.get(error, 'name');
  return {
    name: typeof name === 'string' ? name : 'Error',
    message: String(error.message),
    ...text('code'),
    ...text('hint'),
    ...text('stack'),
  };
}
