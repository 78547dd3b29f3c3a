/** clock_res_get, clock_time_get. */

import type { CallTable, Guard } from '../call-table.js';
import type { WasiContext } from '../context.js';

export function clockCalls(context: WasiContext, guard: Guard): CallTable {
  const { clocks, memory } = context;
  return {
    clock_res_get: guard((clock: number, result: number) => memory.writeU64(result, clocks.resolution(clock))),

    clock_time_get: guard((clock: number, _precision: bigint, result: number) => {
      memory.range(result, 8);
      memory.writeU64(result, clocks.look(clock));
    }),
  };
}
