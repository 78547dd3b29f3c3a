/** Runs a guest in a thread of its own, so that this thread stays free: for signals, for timers, for everything else. */

import { fstatSync } from 'node:fs';
import { isatty } from 'node:tty';
import { Worker } from 'node:worker_threads';
import type { PointProfile, Program, WasmValue } from '../engine/index.js';
import type { Snapshot } from '../snapshot/index.js';
import type { AddressGrant } from '../wasi/index.js';
import {
  type Beginning,
  type CheckpointReport,
  controlWords,
  type ErrorReport,
  type GrantedDirectory,
  type GuestInput,
  type GuestJob,
  type GuestMessage,
  type GuestNetworkJob,
  requests,
  type WorkerOutcome,
} from './guest-job.js';
import { shareStandardInput } from './input-mailbox.js';
import { shareNetwork } from './network-host.js';
import type { SnapshotStorage } from './snapshot-storage.js';
import type { TellProgress } from './transfer-progress.js';

export interface WorkerRunOptions {
  /** Continue from this snapshot, or from the one in this file, instead of beginning. */
  readonly from?: Snapshot | string;
  /** The export to call when it begins. Default `_start`. */
  readonly entry?: string;
  /** Arguments of the entry: values, or texts as from a command line. */
  readonly entryArguments?: readonly (WasmValue | string)[];
  /** The program's arguments, its name first. A restored program keeps its own unless they are given. */
  readonly args?: readonly string[];
  /** Its environment, each as `KEY=value`. A restored program keeps its own, in which these are set. */
  readonly env?: readonly string[];
  readonly directories?: readonly GrantedDirectory[];
  /** Internet addresses that the program may bind to, connect to and send to. Default none. */
  readonly addresses?: readonly AddressGrant[];
  /**
   * What becomes of TCP connections that a snapshot names: they are gone. `reconnect` makes them anew, before the program
   * goes on; with `fail` the program sees that they broke. Default: such a snapshot is refused.
   */
  readonly connections?: 'reconnect' | 'fail';
  /** Virtual clocks and random numbers from this seed. Default: the host's. */
  readonly deterministic?: number;
  /** Standard input: this process's own, or these bytes. Default none. */
  readonly input?: 'inherit' | Uint8Array;
  /** Where output goes: this process's own streams, or here. Default: `inherit`. */
  readonly output?: 'inherit' | ((stream: 'stdout' | 'stderr', bytes: Uint8Array) => void);
  /**
   * File that snapshots are written to; those of a run that goes on as deltas beside it. Without it they come in the
   * reports.
   */
  readonly snapshotFile?: string;
  /** How snapshots are stored, and which ones are believed. Default: as they are, and all that are sound. */
  readonly storage?: SnapshotStorage;
  /** Stop at the n-th stable point, from 1. */
  readonly atPoint?: number;
  /** Stop at the n-th entry, from 1, of a function (an index into the stable map's functions, see `findFunction`). */
  readonly atEntry?: { readonly function: number; readonly count: number };
  /** Size of the guest's stack in MiB, of which only what is used takes memory. Default 256. */
  readonly stackSize?: number;
  /** Told of every checkpoint. */
  readonly onCheckpoint?: (report: CheckpointReport) => void;
  /** Told why, when a checkpoint could not be taken or written. The program goes on. */
  readonly onRefused?: (reason: string) => void;
  /**
   * Told how far reading or writing a snapshot file has come, when that takes more than a second. The guest does nothing
   * meanwhile.
   */
  readonly onProgress?: TellProgress;
  /**
   * Told at the end how often each stable point was passed: what `mvvmc --enable-checkpoint-pgo` takes, as JSON. The run
   * is slower for it.
   */
  readonly onProfile?: (profile: PointProfile) => void;
  /** Told what happens, in words for a debug log. */
  readonly onLog?: (text: string) => void;
}

export interface WorkerRun {
  /**
   * How the run ended. Rejects with {@link GuestError} when the guest could not be begun or re-entered.
   */
  readonly done: Promise<WorkerOutcome>;
  /**
   * Asks for a checkpoint at the next stable point; a call that waits (for input, a sleep) is left, too.
   *
   * @param options `goOn`: whether the guest goes on afterwards. By default the run ends there
   * @returns the report, or undefined when the program ended first
   */
  checkpoint(options?: { readonly goOn?: boolean }): Promise<CheckpointReport | undefined>;
  /** Ends the run at once; {@link done} rejects with code `terminated`. */
  terminate(): Promise<void>;
}

/** An error from the guest's thread, as it was there: `code`, `hint` and `stack` are those of the original. */
export class GuestError extends Error {
  override name = 'GuestError';
  readonly code: string;
  readonly hint: string;

  constructor(report: ErrorReport) {
    super(report.message);
    this.code = report.code ?? report.name;
    this.hint = report.hint ?? '';
    if (report.stack !== undefined) this.stack = report.stack;
  }
}

const DEFAULT_STACK_MIB = 256;

/**
 * Runs a program in a worker thread.
 *
 * @example
 * const program = await loadProgram(await readFile('bc.mvvm.wasm'));
 * const run = runInWorker(program, { args: ['bc', '-g20'], snapshotFile: 'bc.mvvm.snap' });
 * process.once('SIGTERM', () => void run.checkpoint());
 * const outcome = await run.done;
 * if (outcome.kind === 'checkpointed') console.error(`continue with ${outcome.report.file}`);
 */
export function runInWorker(program: Program, options: WorkerRunOptions = {}): WorkerRun {
  const { from, entry, entryArguments } = options;
  const how = {
    ...(entry === undefined ? {} : { entry }),
    ...(entryArguments === undefined ? {} : { entryArguments }),
  };
  return begin(program, from === undefined ? { kind: 'start', ...how } : { kind: 'restore', from }, options);
}

/** Options of a run that cannot be stopped. */
export type PlainRunOptions = Omit<
  WorkerRunOptions,
  | 'from'
  | 'snapshotFile'
  | 'storage'
  | 'atPoint'
  | 'atEntry'
  | 'onCheckpoint'
  | 'onRefused'
  | 'onProgress'
  | 'onProfile'
>;

/**
 * Runs a module that mvvmc has not touched, on the same host. It cannot be stopped, only terminated.
 * @param plain the compiled module and its bytes
 */
export function runPlainInWorker(
  plain: { readonly module: WebAssembly.Module; readonly hash: string; readonly bytes: Uint8Array },
  options: PlainRunOptions = {},
): Pick<WorkerRun, 'done' | 'terminate'> {
  const { entry, entryArguments } = options;
  const how = {
    ...(entry === undefined ? {} : { entry }),
    ...(entryArguments === undefined ? {} : { entryArguments }),
  };
  return begin(plain, { kind: 'plain', bytes: plain.bytes, ...how }, options);
}

function begin(
  { module, hash }: { readonly module: WebAssembly.Module; readonly hash: string },
  beginning: Beginning,
  options: WorkerRunOptions,
): WorkerRun {
  const control = new Int32Array(new SharedArrayBuffer(4 * controlWords.count));
  const { input, stop: stopInput } = openInput(options.input, control);
  const network = openNetwork(options, control);
  const { args, env, directories = [], deterministic, snapshotFile, atPoint, atEntry } = options;
  const job: GuestJob = {
    module,
    hash,
    beginning,
    directories,
    input,
    output: typeof options.output === 'function' ? 'messages' : 'inherit',
    profile: options.onProfile !== undefined,
    progress: options.onProgress !== undefined,
    storage: options.storage ?? {},
    control: control.buffer,
    ...(network === undefined ? {} : { network: network.job }),
    ...(args === undefined ? {} : { args }),
    ...(env === undefined ? {} : { env }),
    ...(deterministic === undefined ? {} : { deterministic }),
    ...(snapshotFile === undefined ? {} : { snapshotFile }),
    ...(atPoint === undefined ? {} : { atPoint }),
    ...(atEntry === undefined ? {} : { atEntry }),
  };
  const worker = new Worker(new URL('./guest-worker.js', import.meta.url), {
    workerData: job,
    transferList: [
      ...(input.kind === 'mailbox' ? [input.port] : []),
      ...(network === undefined ? [] : [network.job.port]),
    ],
    resourceLimits: { stackSizeMb: options.stackSize ?? DEFAULT_STACK_MIB },
  });

  let waiting: Asker[] = [];
  const answer = (how: (asker: Asker) => void): void => {
    const askers = waiting;
    waiting = [];
    askers.forEach(how);
  };
  const listen = (message: GuestMessage): void => {
    switch (message.kind) {
      case 'checkpoint':
        options.onCheckpoint?.(message.report);
        answer((asker) => asker.resolve(message.report));
        return;
      case 'refused':
        options.onRefused?.(message.reason);
        answer((asker) => asker.reject(new GuestError({ name: 'not-savable', message: message.reason })));
        return;
      case 'progress':
        options.onProgress?.(message.progress);
        if (message.progress.isOver) {
          Atomics.store(control, controlWords.heardEnd, 1);
          Atomics.notify(control, controlWords.heardEnd);
        }
        return;
      case 'profile':
        options.onProfile?.(message.profile);
        return;
      case 'log':
        options.onLog?.(message.text);
        return;
      case 'output':
        if (typeof options.output === 'function') options.output(message.stream, message.bytes);
    }
  };
  const done = new Promise<WorkerOutcome>((resolve, reject) => {
    worker.on('message', (message: GuestMessage) => {
      if (message.kind === 'over') resolve(message.outcome);
      else if (message.kind === 'failed') reject(new GuestError(message.error));
      else listen(message);
    });
    worker.on('error', (error: unknown) => reject(new GuestError({ name: 'worker-failed', message: String(error) })));
    worker.on('exit', () => reject(new GuestError({ name: 'terminated', message: 'the run was terminated' })));
  }).finally(async () => {
    stopInput();
    await network?.stop();
    answer((asker) => asker.resolve(undefined));
  });

  return {
    done,
    checkpoint: ({ goOn = false } = {}) =>
      new Promise((resolve, reject) => {
        waiting.push({ resolve, reject });
        // The guest may have ended already: then its end answers.
        done.then(
          () => resolve(undefined),
          () => resolve(undefined),
        );
        request(control, goOn ? requests.goOn : requests.stop);
      }),
    terminate: async () => {
      await worker.terminate();
    },
  };
}

interface Asker {
  readonly resolve: (report: CheckpointReport | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** Writes the request and wakes a guest that sleeps. Stopping outdoes going on. */
function request(control: Int32Array, wanted: number): void {
  if (wanted > Atomics.load(control, controlWords.request)) Atomics.store(control, controlWords.request, wanted);
  Atomics.add(control, controlWords.wake, 1);
  Atomics.notify(control, controlWords.wake);
}

/** Without a granted address there is no network. */
function openNetwork(
  { addresses = [], connections }: WorkerRunOptions,
  control: Int32Array,
): { readonly job: GuestNetworkJob; readonly stop: () => Promise<void> } | undefined {
  if (addresses.length === 0) return undefined;
  const { end, stop } = shareNetwork(control);
  return { job: { ...end, addresses, ...(connections === undefined ? {} : { connections }) }, stop };
}

function openInput(
  input: WorkerRunOptions['input'],
  control: Int32Array,
): { readonly input: GuestInput; readonly stop: () => void } {
  const stop = (): void => undefined;
  if (input !== 'inherit') return { input: { kind: 'bytes', bytes: input ?? new Uint8Array() }, stop };
  return canBlock(0) ? shareStandardInput(control) : { input: { kind: 'file' }, stop };
}

/** Whether a read can take for ever: from a terminal, a pipe or a socket, not from a file or `/dev/null`. */
function canBlock(fd: number): boolean {
  try {
    const stat = fstatSync(fd);
    return stat.isFIFO() || stat.isSocket() || (stat.isCharacterDevice() && isatty(fd));
  } catch {
    return false;
  }
}
