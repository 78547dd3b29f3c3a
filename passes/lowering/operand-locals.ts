/**
 * Locals that keep operands from where they are evaluated until their operation is reached, because a later operand has a
 * stable point inside, or because frames can come back at the operation itself, a call.
 *
 * In the second case they come back without a value: resuming makes the call with whatever is there. But an engine does not
 * know that, and carries what may be there along every way back. So what one operation is done with is used for the next.
 * What is saved, because a point comes before the operation, is kept apart from what is not; and what is needed in hot
 * loops from what is not, for these may have a way out of their own (twinned-loops.ts).
 */

import type { Type } from '../ir/binaryen.js';

interface Pool {
  readonly locals: number[];
  taken: number;
}

export class OperandLocals {
  readonly #newLocal: (type: Type) => number;
  readonly #pools = new Map<string, Pool>();

  constructor(newLocal: (type: Type) => number) {
    this.#newLocal = newLocal;
  }

  /**
   * @param isSaved whether the local's value is needed at a stable point
   * @param isHot whether it is in a hot loop
   */
  take(type: Type, isSaved: boolean, isHot: boolean): number {
    const key = `${type} ${isSaved} ${isHot}`;
    const pool = this.#pools.get(key) ?? { locals: [], taken: 0 };
    this.#pools.set(key, pool);
    const local = pool.locals[pool.taken] ?? this.#newLocal(type);
    pool.locals[pool.taken] = local;
    pool.taken += 1;
    return local;
  }

  /** What is taken while code is made is free again behind that code. */
  during(make: () => void): void {
    const before = new Map([...this.#pools.values()].map((pool) => [pool, pool.taken]));
    make();
    for (const pool of this.#pools.values()) pool.taken = before.get(pool) ?? 0;
  }
}
