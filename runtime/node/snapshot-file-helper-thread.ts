/**
 * The other thread of snapshot-file-helper.ts. Hashes the pieces in the ring, in their order, for ever, and between two
 * of them hears which file to begin to make durable.
 */

import { createHash } from 'node:crypto';
import { closeSync, constants, fdatasync, openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { HashRing, SLOTS, slotState } from './snapshot-file-hash-ring.js';

const shared: unknown = workerData;
// Which realm made the memory does not matter; that it is shared does.
if (Object.prototype.toString.call(shared) !== '[object SharedArrayBuffer]') throw new TypeError('no ring was given');
const ring = new HashRing(workerData);

let isSyncing = false;

/** By a descriptor of its own: the system reports a failure to write once per opening, and the writer must hear it. */
function beginSync(path: string): void {
  if (isSyncing) return;
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY);
  } catch {
    // It is done, and has its name by now.
    return;
  }
  isSyncing = true;
  fdatasync(fd, () => {
    isSyncing = false;
    closeSync(fd);
  });
}

parentPort?.on('message', beginSync);
// Where threads cannot wait without standing still, there is no helper.
if (!('waitAsync' in Atomics)) throw new TypeError('there is no Atomics.waitAsync');
ring.announceHelper();
for (let slot = 0; ; slot = (slot + 1) % SLOTS) {
  await ring.comesInto(slot, slotState.full);
  ring.digestOf(slot).set(createHash('sha256').update(ring.pieceIn(slot)).digest());
  ring.setState(slot, slotState.hashed);
}
