/**
 * A thread that helps while a large snapshot is written or read: it hashes pieces (snapshot-file-hasher.ts), and begins to
 * make a file durable while more is written to it. The thread that writes could do the latter in the background too, but
 * would never hear the end of it: its event loop stands still while a guest runs.
 */

import { Worker } from 'node:worker_threads';
import { HashRing, RING_BYTES, SLOTS, slotState } from './snapshot-file-hash-ring.js';

/** All that live, and those of them that wait for work: as many as there ever were snapshots written or read at once. */
const helpers = new Set<Helper>();
const idle: Helper[] = [];

/** A helper that works for nobody else until it is released; undefined where threads are forbidden (Node's permission model). */
export function takeHelper(): Helper | undefined {
  for (let helper = idle.pop(); helper !== undefined; helper = idle.pop()) if (helpers.has(helper)) return helper;
  try {
    return new Helper();
  } catch {
    return undefined;
  }
}

/** Lets a helper begin to make a file durable, if there is one. Promises nothing. */
export function beginSync(path: string): void {
  const [helper] = helpers;
  helper?.beginSync(path);
}

export class Helper {
  readonly ring: HashRing;
  /** The slot that is filled next: the helper goes round the ring in the same order. */
  #nextSlot = 0;
  readonly #worker: Worker;

  constructor() {
    const shared = new SharedArrayBuffer(RING_BYTES);
    this.ring = new HashRing(shared);
    this.#worker = new Worker(new URL('./snapshot-file-helper-thread.js', import.meta.url), {
      workerData: shared,
      execArgv: [],
    });
    this.#worker.unref();
    helpers.add(this);
    // It never announces itself, or answers no more; both are provided for.
    this.#worker.on('error', () => helpers.delete(this));
  }

  /** The slot for the next piece, if there is room in the ring. */
  freeSlot(): number | undefined {
    const slot = this.#nextSlot;
    return this.ring.hasHelper && this.ring.isIn(slot, slotState.free) ? slot : undefined;
  }

  /** Sets the helper to work on the slot that was free. */
  publish(slot: number, length: number): void {
    this.ring.publish(slot, length);
    this.#nextSlot = (slot + 1) % SLOTS;
  }

  beginSync(path: string): void {
    this.#worker.postMessage(path);
  }

  /** Whoever comes next can have it. Nothing of ours is in the ring. */
  release(): void {
    if (helpers.has(this)) idle.push(this);
  }

  /** Ends the thread, wherever it is. */
  dismiss(): void {
    helpers.delete(this);
    void this.#worker.terminate();
  }
}
