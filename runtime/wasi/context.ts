/** What the groups of calls share: the guest's memory, its table, its clocks, and what the host lent it. */

import type { GrantedAddresses } from './address-grants.js';
import type { FdTable } from './fd-table.js';
import type { Preopen } from './filesystem.js';
import type { GuestClocks } from './guest-clocks.js';
import type { GuestMemory } from './guest-memory.js';
import type { Network } from './network.js';
import type { RandomSource } from './random.js';
import type { WaitOutcome, WaitRequest } from './wait.js';

export interface WasiContext {
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly preopens: readonly Preopen[];
  readonly memory: GuestMemory;
  readonly table: FdTable;
  readonly clocks: GuestClocks;
  readonly random: RandomSource;
  /** Null for a guest without a network. */
  readonly network: LentNetwork | null;
  readonly wait: (request: WaitRequest) => WaitOutcome;
  readonly interrupt: () => void;
  /** The sleep that was left for a checkpoint; set until it is taken up again. */
  pendingPoll: PendingPoll | null;
}

/** The network, and what of it is granted. */
export interface LentNetwork {
  readonly host: Network;
  readonly granted: GrantedAddresses;
}

/**
 * A `poll_oneoff` that was interrupted. When the guest makes the same call again its relative timeouts count from when
 * it was first made, so that only the rest is slept.
 */
export interface PendingPoll {
  readonly subscriptions: number;
  readonly events: number;
  readonly count: number;
  /** Monotonic time of the guest, nanoseconds. */
  readonly startedAt: bigint;
}
