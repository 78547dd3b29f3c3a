/** The host of one guest: all of preview1 under both its names, over what the options lend. */

import { type AddressGrant, GrantedAddresses } from './address-grants.js';
import { type CallTable, makeGuard, tablesOnDemand } from './call-table.js';
import { clockCalls } from './calls/clock-calls.js';
import { directoryCalls } from './calls/directory-calls.js';
import { fdIoCalls } from './calls/fd-io-calls.js';
import { fdStatusCalls } from './calls/fd-status-calls.js';
import { networkCalls } from './calls/network-calls.js';
import { pathCalls } from './calls/path-calls.js';
import { pathOpenCalls } from './calls/path-open.js';
import { pollCalls } from './calls/poll-calls.js';
import { processCalls } from './calls/process-calls.js';
import { socketCalls } from './calls/socket-calls.js';
import { socketOptionCalls } from './calls/socket-option-calls.js';
import type { Clock } from './clock.js';
import type { LentNetwork, WasiContext } from './context.js';
import { textWithNul, WasiError } from './diagnostics.js';
import { FdTable } from './fd-table.js';
import type { Preopen } from './filesystem.js';
import type { Dialect } from './flags.js';
import { GuestClocks } from './guest-clocks.js';
import { GuestMemory } from './guest-memory.js';
import type { Network } from './network.js';
import { addPreopens, checkPreopens } from './preopens.js';
import type { RandomSource } from './random.js';
import { checkState, restoreTable } from './restore.js';
import { socketRights, stdioRights } from './rights.js';
import { saveState } from './save.js';
import type { Socket } from './socket.js';
import type { WasiState } from './state.js';
import type { Stdio } from './stdio.js';
import type { WaitOutcome, WaitRequest } from './wait.js';

export interface WasiOptions {
  /** Arguments, the program's name first. */
  readonly args: readonly string[];
  /** Environment, each as `KEY=value`. */
  readonly env: readonly string[];
  /** Directories that the guest finds open, from descriptor 3 on. They stay the caller's to close. */
  readonly preopens: readonly Preopen[];
  /** Descriptors 0, 1 and 2. */
  readonly stdio: Stdio;
  /** The network that the guest may use, and the addresses in it. Default none. */
  readonly network?: { readonly host: Network; readonly addresses: readonly AddressGrant[] };
  /** Sockets that the guest finds open, behind the directories; closed with the guest's descriptors. Default none. */
  readonly sockets?: readonly Socket[];
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Called by a call that has to wait. It blocks this thread until one of the reasons to go on. */
  readonly wait: (request: WaitRequest) => WaitOutcome;
  /** Called when `wait` said `interrupted`, just before the call returns: the guest must unwind on return. */
  readonly interrupt: () => void;
  /** Told of each range of bytes in the guest's memory that a call wrote to. */
  readonly onMemoryWrite?: (address: number, length: number) => void;
}

/** Arguments and environment may be left to the state. */
export type WasiRestoreOptions = Omit<WasiOptions, 'args' | 'env' | 'sockets'> & {
  readonly args?: readonly string[];
  /** Instead of the saved environment, or made of it. */
  readonly env?: readonly string[] | ((saved: readonly string[]) => readonly string[]);
  /** What becomes of connections (socket-restore.ts). Without a choice a state that has one is refused. */
  readonly connections?: 'reconnect' | 'fail';
};

export interface Wasi {
  /** Functions by module name and name; to be instantiated with. */
  readonly imports: Readonly<Record<Dialect, CallTable>>;
  /** Tells where the guest's memory is. Before its first call. */
  attach(memory: WebAssembly.Memory): void;
  /**
   * Takes down what a snapshot keeps. Changes nothing for the guest.
   * @throws {WasiError} naming the descriptor that could not be restored
   */
  save(): WasiState;
  /** Closes all descriptors. */
  close(): void;
}

/**
 * A host for a guest that starts afresh.
 * @throws {WasiError} for texts and directory names that no guest could be given
 */
export function createWasi(options: WasiOptions): Wasi {
  checkPreopens(options.preopens);
  requireTexts(options);
  const table = new FdTable();
  for (const stream of ['stdin', 'stdout', 'stderr'] as const) {
    const data = { kind: 'stdio', stream, rights: stdioRights, inheriting: 0, flags: 0 } as const;
    table.add({ kind: 'stdio', data: { ...data }, stdio: options.stdio });
  }
  addPreopens(table, options.preopens);
  for (const socket of options.sockets ?? []) {
    const data = { kind: 'socket', rights: socketRights, inheriting: 0, flags: 0 } as const;
    table.add({ kind: 'socket', data: { ...data }, socket, network: null });
  }
  return wasiOver(contextOf(options, options, table));
}

/**
 * A host for a guest that goes on: the descriptors of the state, opened again as far as the options grant them. Clocks
 * continue, a seeded random source continues, and a sleep that was interrupted will sleep the rest.
 * @throws {WasiError} when the state is damaged, names what is not granted, or its files are gone or changed; nothing
 * was opened, created or deleted then
 */
export function restoreWasi(state: unknown, options: WasiRestoreOptions): Wasi {
  const checked = checkState(state);
  checkPreopens(options.preopens);
  const savedEnv = checked.env ?? [];
  const env = typeof options.env === 'function' ? options.env(savedEnv) : (options.env ?? savedEnv);
  const texts = { args: options.args ?? checked.args ?? [], env };
  requireTexts(texts);
  const { preopens, stdio, connections } = options;
  const table = restoreTable(checked.descriptors, { preopens, stdio, network: lentNetwork(options), connections });
  const context = contextOf(options, texts, table);

  const { monotonic, cpuTime, realtime } = checked.clocks;
  context.clocks.load({ monotonic: BigInt(monotonic), cpuTime: BigInt(cpuTime), realtime: BigInt(realtime) });
  context.random.load(checked.random);
  const { pendingPoll } = checked;
  context.pendingPoll = pendingPoll === null ? null : { ...pendingPoll, startedAt: BigInt(pendingPoll.startedAt) };
  return wasiOver(context);
}

function lentNetwork({ network }: Pick<WasiOptions, 'network'>): LentNetwork | null {
  if (network === undefined) return null;
  const { host, addresses } = network;
  return { host, granted: new GrantedAddresses(addresses, (name) => host.lookUp(name)) };
}

type Texts = Pick<WasiOptions, 'args' | 'env'>;

function requireTexts({ args, env }: Texts): void {
  args.forEach((arg, index) => {
    if (arg.includes('\0')) throw new WasiError(textWithNul(`argument ${index}`));
  });
  for (const entry of env) {
    if (entry.includes('\0')) throw new WasiError(textWithNul(`environment variable ${entry.split('=')[0]}`));
  }
}

function contextOf(options: WasiRestoreOptions, texts: Texts, table: FdTable): WasiContext {
  return {
    args: [...texts.args],
    env: [...texts.env],
    preopens: options.preopens,
    memory: new GuestMemory(options.onMemoryWrite ?? (() => undefined)),
    table,
    clocks: new GuestClocks(options.clock),
    random: options.random,
    network: lentNetwork(options),
    wait: options.wait,
    interrupt: options.interrupt,
    pendingPoll: null,
  };
}

function wasiOver(context: WasiContext): Wasi {
  const callsOf = (dialect: Dialect): CallTable => {
    const guard = makeGuard(context.interrupt);
    return Object.assign(
      {},
      processCalls(context, guard),
      clockCalls(context, guard),
      fdIoCalls(context, guard, dialect),
      fdStatusCalls(context, guard, dialect),
      directoryCalls(context, guard),
      pathOpenCalls(context, guard),
      pathCalls(context, guard, dialect),
      pollCalls(context, guard, dialect),
      socketCalls(context, guard),
      networkCalls(context, guard),
      socketOptionCalls(context, guard),
    );
  };
  return {
    imports: tablesOnDemand(callsOf),
    attach: (memory) => context.memory.attach(memory),
    save: () => saveState(context),
    close: () => context.table.closeAll(),
  };
}
