/** How a guest's thread waits: asleep on one shared word, which changes when there is news or a checkpoint is wanted. */

import type { InputStream, WaitOutcome, WaitRequest } from '../wasi/index.js';

export interface ThreadWaitOptions {
  /** The shared word. Whoever has news changes it and notifies. */
  readonly wake: Int32Array;
  readonly stdin: InputStream;
  /** Whether a checkpoint is wanted, so that the call is to be left. */
  readonly isInterrupted: () => boolean;
  /** Takes in what other threads have sent, and says whether there was anything. */
  readonly takeNews?: () => boolean;
}

/** Sockets that cannot change the word are looked at this often, in milliseconds. */
const socketInterval = 10;

/** No single sleep is longer: about an hour, in milliseconds. */
const longestSleep = 3_600_000;

/** The `wait` of WasiOptions for a guest whose thread may block. */
export function threadWait({
  wake,
  stdin,
  isInterrupted,
  takeNews = () => false,
}: ThreadWaitOptions): (request: WaitRequest) => WaitOutcome {
  return ({ timeout, stdin: wantsStdin, sockets, mustEnd }) => {
    const end = timeout === undefined ? undefined : process.hrtime.bigint() + timeout;
    const looksAtSockets = sockets.some(({ notifies }) => notifies !== true);
    for (;;) {
      // Read before the reasons are looked at: news after this changes the word, and the sleep below does not begin.
      const seen = Atomics.load(wake, 0);
      if (mustEnd !== true && isInterrupted()) return 'interrupted';
      if (wantsStdin && stdin.ready() !== 'would-block') return 'ready';
      if (takeNews() && sockets.length > 0) return 'ready';
      const left = Math.min(longestSleep, end === undefined ? longestSleep : millisecondsUntil(end));
      if (left <= 0) return 'timeout';
      Atomics.wait(wake, 0, seen, looksAtSockets ? Math.min(left, socketInterval) : left);
      if (looksAtSockets) return 'ready';
    }
  };
}

/** With fractions, not above zero when the time has come. */
function millisecondsUntil(end: bigint): number {
  return Number(end - process.hrtime.bigint()) / 1e6;
}
