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
 * @throws {ErrnoError} EAGAIN when the descriptor is set not to wait
 */
export function waitUntilDone<T>(
  context: WasiContext,
  descriptor: OpenDescriptor,
  attempt: () => T | 'would-block',
): T {
  for (;;) {
    const result = attempt();
    if (result !== 'would-block') return result;
    if ((descriptor.data.flags & fdFlag.nonblock) !== 0) fail(errno.again);
    const outcome = context.wait({
      stdin: descriptor.kind === 'stdio',
      sockets: descriptor.kind === 'socket' ? [descriptor.socket] : [],
      ...(descriptor.kind === 'file' ? { timeout: pollInterval } : {}),
    });
    if (outcome === 'interrupted') throw new Interrupted();
  }
}
