/** Waiting inside a call for something that can be read or sent. */

import { Interrupted } from './call-table.js';
import type { WasiContext } from './context.js';
import { errno, fail } from './errno.js';
import type { OpenDescriptor } from './fd-table.js';
import { fdFlag } from './flags.js';

/** How long to wait for what cannot say when it is ready, like a named pipe: 10 ms. */
const pollInterval = 10_000_000n;

/**
 * Repeats `attempt` until it gives something else than `would-block`, waiting in between.
 *
 * @throws {Interrupted} when the call is to be left; nothing was done then
 * @throws {ErrnoError} EAGAIN when the descriptor is set not to wait, or the limit has passed
 */
export function waitUntilDone<T>(
  context: WasiContext,
  descriptor: OpenDescriptor,
  attempt: () => T | 'would-block',
  { mustEnd = false, limit = 0n }: WaitLimits = {},
): T {
  const { clocks } = context;
  const end = limit > 0n ? clocks.monotonic() + limit : undefined;
  for (;;) {
    const result = attempt();
    if (result !== 'would-block') return result;
    if ((descriptor.data.flags & fdFlag.nonblock) !== 0) fail(errno.again);
    const left = end === undefined ? undefined : end - clocks.monotonic();
    if (left !== undefined && left <= 0n) fail(errno.again);
    const timeout = descriptor.kind === 'file' ? pollInterval : left;
    const outcome = context.wait({
      stdin: descriptor.kind === 'stdio',
      sockets: descriptor.kind === 'socket' ? [descriptor.socket] : [],
      ...(timeout === undefined ? {} : { timeout }),
      ...(mustEnd ? { mustEnd } : {}),
    });
    if (outcome === 'interrupted') throw new Interrupted();
    if (outcome === 'timeout' && clocks.isVirtual && left !== undefined) clocks.pass(left);
  }
}

export interface WaitLimits {
  /** The call is none that can be left (abi/host-calls.ts). */
  readonly mustEnd?: boolean;
  /** Nanoseconds after which the call fails with EAGAIN; 0 for none. */
  readonly limit?: bigint;
}
