/**
 * Locals that keep operands from where they are evaluated until a call is made, where frames can come back at that call.
 *
 * They do not come back with a value: resuming makes the call with whatever is there. But an engine does not know that, and
 * carries what may be there along every way back. So the operands of one call go where those of another have been, and what
 * is saved, because a point comes before the call, goes elsewhere than what is not.
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

  /** @param isSaved whether the local's value is needed at a stable point */
  take(type: Type, isSaved: boolean): number {
    const key = `${type} ${isSaved}`;
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
