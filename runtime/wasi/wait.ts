/** How a call of the guest waits: the host decides what is done with the thread meanwhile. */

import type { Transfer } from './socket.js';

export interface WaitRequest {
  /** At most so many nanoseconds; missing: as long as it takes. */
  readonly timeout?: bigint;
  /** Return when standard input can be read or has ended. */
  readonly stdin: boolean;
  /** Return when one of these can be used. */
  readonly sockets: readonly Transfer[];
  /** The call cannot be left: `interrupted` would be no answer. */
  readonly mustEnd?: boolean;
}

/**
 * - `ready`: something waited for may have happened (it is looked at again, so false alarms do no harm)
 * - `timeout`: the time is over
 * - `interrupted`: the call is to be left without any effect, because a checkpoint was asked for
 */
export type WaitOutcome = 'ready' | 'timeout' | 'interrupted';
