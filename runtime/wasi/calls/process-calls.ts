/** args_*, environ_*, proc_*, sched_yield, random_get. */

import { encodeUtf8 } from '../../abi/index.js';
import type { CallTable, Guard } from '../call-table.js';
import type { WasiContext } from '../context.js';
import { errno, fail } from '../errno.js';
import { ProcExit } from '../proc-exit.js';

/** Signals whose default action is to do nothing: none, CHLD, CONT, URG, WINCH. */
const ignoredSignals: readonly number[] = [0, 16, 17, 22, 27];

/** Signals whose default action is to stop, which nobody could undo: STOP, TSTP, TTIN, TTOU. */
const stoppingSignals: readonly number[] = [18, 19, 20, 21];

const lastSignal = 30;

/** The exit status by which a shell would report the signal; from CHLD on WASI numbers are one less than those of Linux. */
function statusOfSignal(signal: number): number {
  return 128 + (signal < 16 ? signal : signal + 1);
}

export function processCalls(context: WasiContext, guard: Guard): CallTable {
  const { memory } = context;
  const writeSizes = (strings: readonly string[], count: number, size: number): void => {
    memory.range(size, 4);
    memory.writeU32(count, strings.length);
    memory.writeU32(
      size,
      strings.reduce((sum, string) => sum + encodeUtf8(string).length + 1, 0),
    );
  };

  return {
    args_get: guard((pointers: number, text: number) => memory.writeStrings(pointers, text, context.args)),
    args_sizes_get: guard((count: number, size: number) => writeSizes(context.args, count, size)),
    environ_get: guard((pointers: number, text: number) => memory.writeStrings(pointers, text, context.env)),
    environ_sizes_get: guard((count: number, size: number) => writeSizes(context.env, count, size)),

    // Not guarded: it never returns.
    proc_exit: (status: number): never => {
      throw new ProcExit(status >>> 0);
    },

    proc_raise: guard((signal: number) => {
      if (ignoredSignals.includes(signal)) return;
      if (stoppingSignals.includes(signal)) fail(errno.notsup);
      if (signal < 0 || signal > lastSignal) fail(errno.inval);
      throw new ProcExit(statusOfSignal(signal));
    }),

    sched_yield: guard(() => undefined),

    random_get: guard((address: number, length: number) => {
      context.random.fill(memory.writable(address, length));
      memory.wrote(address, length >>> 0);
    }),
  };
}
