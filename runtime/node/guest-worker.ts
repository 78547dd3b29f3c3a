/**
 * The thread that a guest runs in. It does one {@link GuestJob} from beginning to end; it talks to the main thread by
 * messages, and listens by the control words, because its own event loop stands still while the guest runs.
 */

import { parentPort, workerData } from 'node:worker_threads';
import {
  badDirectory,
  EngineError,
  type Guest,
  type GuestOptions,
  type Outcome,
  openProgram,
  PointProfiler,
  type Program,
  type ReadInto,
  readSavedSystem,
  restoreGuest,
  startGuest,
  startPlain,
  type WasiSetUp,
  wasiSystem,
} from '../engine/index.js';
import { type EncodeOptions, encodeSnapshot, inFile, isSnapshotError, type Snapshot } from '../snapshot/index.js';
import {
  ErrnoError,
  errno,
  inputOf,
  type OutputStream,
  outputTo,
  type Preopen,
  seededRandom,
  systemClock,
  systemRandom,
  virtualClock,
} from '../wasi/index.js';
import {
  type CheckpointReport,
  controlWords,
  type GrantedDirectory,
  type GuestJob,
  type GuestMessage,
  type RunStatistics,
  reportError,
  requests,
  type WorkerOutcome,
} from './guest-job.js';
import { openHostDirectory } from './host-filesystem.js';
import { mailboxInput } from './input-mailbox.js';
import { openNetwork } from './network-guest.js';
import { readSnapshotChain } from './snapshot-file-chain.js';
import { SnapshotChainWriter } from './snapshot-file-chain-writer.js';
import { decodingOf, encodingOf } from './snapshot-storage.js';
import { blockingInput, descriptorOutput } from './stdio.js';
import { threadWait } from './stdio-wait.js';
import { engineTiersUp } from './tier-up.js';
import type { TellProgress } from './transfer-progress.js';

const job: GuestJob = workerData;
const control = new Int32Array(job.control);

function send(message: GuestMessage): void {
  parentPort?.postMessage(message);
}

/** Answers the request, so that the next one counts as new. */
function takeRequest(): number {
  return Atomics.exchange(control, controlWords.request, requests.none);
}

const isRequested = (): boolean => Atomics.load(control, controlWords.request) !== requests.none;

/** A main thread that is busy is waited for no longer. */
const HEARD_MS = 1000;

/**
 * Whoever draws a line of progress has to take it away before the guest prints to the same terminal, so that the end
 * of a transfer is told and heard.
 */
const onProgress: TellProgress | undefined = job.progress
  ? (progress) => {
      send({ kind: 'progress', progress });
      if (!progress.isOver) return;
      Atomics.wait(control, controlWords.heardEnd, 0, HEARD_MS);
      Atomics.store(control, controlWords.heardEnd, 0);
    }
  : undefined;

const profiler = job.profile ? new PointProfiler() : undefined;

const options: GuestOptions = {
  ...(profiler === undefined ? {} : { profiler }),
  tierUp: engineTiersUp(),
  // Made when the engine has checked everything: nothing is opened for a snapshot that will be refused.
  system: (hooks, saved) => {
    const wasVirtual = saved !== undefined && readSavedSystem(saved.state).wasi.clocks.virtual;
    return wasiSystem(wasiSetUp(wasVirtual))(hooks, saved);
  },
  onRefused: (reason) => {
    takeRequest();
    send({ kind: 'refused', reason });
  },
};

/** @param wasVirtual a run that was deterministic stays so, and its random source continues from its state */
function wasiSetUp(wasVirtual: boolean): WasiSetUp {
  const stdin = openInput();
  const { args, env, deterministic = wasVirtual ? 0 : undefined } = job;
  const network = job.network === undefined ? undefined : openNetwork(job.network, control);
  return {
    ...(args === undefined ? {} : { args }),
    ...(env === undefined ? {} : { env }),
    preopens: job.directories.map(openDirectory),
    stdio: { stdin, stdout: openOutput('stdout', 1), stderr: openOutput('stderr', 2) },
    clock: deterministic === undefined ? systemClock() : virtualClock(),
    random: deterministic === undefined ? systemRandom() : seededRandom(deterministic),
    ...(job.network === undefined || network === undefined
      ? {}
      : { network: { host: network, addresses: job.network.addresses } }),
    ...(job.network?.connections === undefined ? {} : { connections: job.network.connections }),
    wait: threadWait({
      wake: control,
      stdin,
      isInterrupted: isRequested,
      takeNews: () => network?.takeNews() === true,
    }),
  };
}

function openDirectory({ host, ...grant }: GrantedDirectory): Preopen {
  try {
    return { ...grant, root: openHostDirectory(host) };
  } catch (error) {
    throw new EngineError(badDirectory(host, directoryProblem(error)));
  }
}

function directoryProblem(error: unknown): string {
  if (!(error instanceof ErrnoError)) return reportError(error).message;
  const [name = ''] = Object.entries(errno).find(([, number]) => number === error.errno) ?? [];
  const problems: Readonly<Record<string, string>> = {
    noent: 'it does not exist',
    notdir: 'it is not a directory',
    acces: 'permission denied',
  };
  return problems[name] ?? `E${name.toUpperCase()}`;
}

function openInput(): NonNullable<WasiSetUp['stdio']>['stdin'] {
  switch (job.input.kind) {
    case 'bytes':
      return inputOf(job.input.bytes);
    case 'file':
      return blockingInput(0);
    case 'mailbox':
      return mailboxInput(job.input);
  }
}

function openOutput(stream: 'stdout' | 'stderr', fd: number): OutputStream {
  if (job.output === 'inherit') return descriptorOutput(fd);
  return outputTo((bytes) => send({ kind: 'output', stream, bytes }));
}

function makeGuest(program: Program): Guest {
  const { beginning } = job;
  if (beginning.kind !== 'restore') return startGuest(program, { ...options, ...beginning });
  return restore(program, beginning.from);
}

function restore(program: Program, from: Snapshot | string): Guest {
  const announce = ({ entry, point }: Snapshot): void => {
    send({ kind: 'log', text: `restoring ${entry} at stable point ${point}` });
  };
  if (typeof from !== 'string') {
    announce(from);
    return restoreGuest(program, from, options);
  }
  let isRead = false;
  const read = (into: ReadInto): Snapshot => {
    const { snapshot } = readSnapshotChain(from, { ...into, ...decodingOf(job.storage), onProgress });
    announce(snapshot);
    isRead = true;
    return snapshot;
  };
  try {
    return restoreGuest(program, read, options);
  } catch (error) {
    // What is wrong with reading names its file already.
    throw isRead && isSnapshotError(error) ? inFile(error, from) : error;
  }
}

function runGuest(): void {
  const program = openProgram(job.module, job.hash);
  const store = storeOf(encodingOf(job.storage));
  const outcome = runToEnd(makeGuest(program), store);
  if (profiler !== undefined) send({ kind: 'profile', profile: profiler.profileOf(program) });
  send({ kind: 'over', outcome });
}

function runToEnd(guest: Guest, store: Store): WorkerOutcome {
  const checkpoints: { milliseconds: number; bytes: number }[] = [];
  const statistics = (): RunStatistics => {
    const { stablePoints, milliseconds } = guest.statistics;
    return { stablePoints, checkpoints, milliseconds };
  };
  const { atPoint, atEntry } = job;
  let outcome = guest.run({
    requested: isRequested,
    ...(atPoint === undefined ? {} : { atPoint }),
    ...(atEntry === undefined ? {} : { atEntry }),
  });
  while (outcome.kind === 'checkpointed') {
    // A stop at a count or an entry comes without a request: it is there to stop.
    const goesOn = takeRequest() === requests.goOn;
    const report = store(guest, outcome.snapshot, outcome.milliseconds, goesOn);
    if (report === undefined) {
      outcome = guest.run();
      continue;
    }
    checkpoints.push({ milliseconds: report.milliseconds, bytes: report.bytes });
    send({ kind: 'checkpoint', report });
    if (!goesOn) {
      guest.close();
      return { kind: 'checkpointed', report, statistics: statistics() };
    }
    outcome = guest.run();
  }
  return ended(outcome, statistics());
}

function ended(outcome: Exclude<Outcome, { kind: 'checkpointed' }>, statistics: RunStatistics): WorkerOutcome {
  if (outcome.kind === 'finished') return { ...outcome, statistics };
  return { kind: 'trapped', error: reportError(outcome.error), statistics };
}

/** Puts a snapshot where it belongs, and says where that is and how large it is. */
type Put = (
  guest: Guest,
  snapshot: Snapshot,
  goesOn: boolean,
) => Pick<CheckpointReport, 'file' | 'kind' | 'snapshot' | 'bytes'>;

/**
 * Writes or encodes a snapshot, straight from the guest's memory. Undefined when it could not be written: the guest must
 * go on then, and the reason has been sent.
 */
type Store = (guest: Guest, snapshot: Snapshot, leavingMs: number, goesOn: boolean) => CheckpointReport | undefined;

function storeOf(encoding: EncodeOptions): Store {
  const put = job.snapshotFile === undefined ? toMessage(encoding) : toFiles(job.snapshotFile, encoding);
  return (guest, snapshot, leavingMs, goesOn) => {
    const before = performance.now();
    const { stablePoints, point } = snapshot;
    try {
      const stored = put(guest, snapshot, goesOn);
      return { ...stored, milliseconds: leavingMs + performance.now() - before, stablePoints, point, goesOn };
    } catch (error) {
      send({ kind: 'refused', reason: reportError(error).message });
      return undefined;
    }
  };
}

/** A run that goes on leaves what changed; one that ends here leaves a file that needs no other. */
function toFiles(path: string, encoding: EncodeOptions): Put {
  const chain = new SnapshotChainWriter(path, { ...encoding, onProgress });
  return (guest, snapshot, goesOn) => {
    const { file, kind, bytes } = goesOn ? chain.write(snapshot, guest.takeSuspectPages()) : chain.writeWhole(snapshot);
    return { file, kind, bytes };
  };
}

function toMessage(encoding: EncodeOptions): Put {
  return (_guest, snapshot) => {
    // A chunk is good only until the next one.
    const chunks = Array.from(encodeSnapshot(snapshot, encoding), (chunk) => chunk.slice());
    const bytes = new Uint8Array(Buffer.concat(chunks));
    return { snapshot: bytes, bytes: bytes.length };
  };
}

try {
  if (job.beginning.kind === 'plain') {
    const before = performance.now();
    const outcome = startPlain(job.module, job.beginning.bytes, { ...options, ...job.beginning }).run();
    const statistics = { stablePoints: 0, checkpoints: [], milliseconds: performance.now() - before };
    send({ kind: 'over', outcome: ended(outcome, statistics) });
  } else {
    runGuest();
  }
} catch (error) {
  send({ kind: 'failed', error: reportError(error) });
}
