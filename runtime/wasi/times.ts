/** The times that a guest asks to be set. */

import { errno, fail } from './errno.js';
import type { FileTimes } from './filesystem.js';
import { allTimesFlags, timesFlag } from './flags.js';
import type { GuestClocks } from './guest-clocks.js';

/** EINVAL when a time is to be set both to a value and to now. `now` is the guest's real time. */
export function readTimes(accessed: bigint, modified: bigint, flags: number, clocks: GuestClocks): FileTimes {
  if ((flags & ~allTimesFlags) !== 0) fail(errno.inval);
  const choose = (value: bigint, given: number, now: number): bigint | undefined => {
    const wanted = flags & (given | now);
    if (wanted === (given | now)) fail(errno.inval);
    if (wanted === given) return BigInt.asUintN(64, value);
    return wanted === now ? clocks.realtime() : undefined;
  };
  const newAccessed = choose(accessed, timesFlag.accessed, timesFlag.accessedNow);
  const newModified = choose(modified, timesFlag.modified, timesFlag.modifiedNow);
  return {
    ...(newAccessed === undefined ? {} : { accessed: newAccessed }),
    ...(newModified === undefined ? {} : { modified: newModified }),
  };
}
