/**
 * From a call of ours to a function that can be imported: an {@link ErrnoError} becomes the result, an interrupted wait
 * makes the guest unwind, and everything else (the end of the program, a fault of the host) passes through the guest.
 */

import { ErrnoError, errno } from './errno.js';
import type { Dialect } from './flags.js';

/** A call: returns nothing, or throws. Values of 64 bits arrive as bigint, all others as numbers, signed. */
export type Call<A extends readonly (number | bigint)[]> = (...args: A) => void;

/** Thrown by a call that waits when it is to be left without effect. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

/** Wraps a call so that it returns an error number. */
export type Guard = <A extends readonly (number | bigint)[]>(call: Call<A>) => (...args: A) => number;

export function makeGuard(interrupt: () => void): Guard {
  return (call) =>
    (...args) => {
      try {
        call(...args);
        return errno.success;
      } catch (error) {
        if (error instanceof ErrnoError) return error.errno;
        if (!(error instanceof Interrupted)) throw error;
        interrupt();
        return errno.success;
      }
    };
}

/** Functions by the names under which a guest imports them. */
export type CallTable = Readonly<Record<string, WebAssembly.ExportValue>>;

/** The tables of both dialects, each made when it is looked at first: a guest imports one, and restores are to be fast. */
export function tablesOnDemand(make: (dialect: Dialect) => CallTable): Readonly<Record<Dialect, CallTable>> {
  const made: Partial<Record<Dialect, CallTable>> = {};
  const table = (dialect: Dialect): CallTable => {
    made[dialect] ??= make(dialect);
    return made[dialect];
  };
  return {
    get wasi_snapshot_preview1() {
      return table('wasi_snapshot_preview1');
    },
    get wasi_unstable() {
      return table('wasi_unstable');
    },
  };
}
