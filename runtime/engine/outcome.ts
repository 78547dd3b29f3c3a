/** What is known about a run of a guest when it is over or stopped. */

import type { Snapshot } from '../snapshot/index.js';
import type { WasmValue } from './entry.js';

/** How a run of a guest ended. */
export type Outcome =
  | {
      readonly kind: 'finished';
      /** What the entry returned, in order. */
      readonly results: readonly WasmValue[];
      /** 0, or what the program gave to `proc_exit`. */
      readonly exitStatus: number;
    }
  | {
      readonly kind: 'checkpointed';
      /** Its memories are views of the guest's own, good until the guest is run again. */
      readonly snapshot: Snapshot;
      /** Milliseconds since the guest was told to leave. */
      readonly milliseconds: number;
    }
  | { readonly kind: 'trapped'; readonly error: unknown };

export interface GuestStatistics {
  /**
   * Stable points passed here, over all runs of this guest; those before a restore are not in it. While a run is under
   * way: until the last poll.
   */
  readonly stablePoints: number;
  /** Checkpoints taken. */
  readonly checkpoints: number;
  /** Times that the frames left only to come back in better code (see tier-up.ts). */
  readonly tierUps: number;
  /** Milliseconds spent in {@link Guest.run}. */
  readonly milliseconds: number;
}
