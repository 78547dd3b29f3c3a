/** The other thread of snapshot-file-hasher.ts: hashes the pieces in the ring, in their order, for ever. */

import { createHash } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import { HashRing, SLOTS, slotState } from './snapshot-file-hash-ring.js';

const shared: unknown = workerData;
// Which realm made the memory does not matter; that it is shared does.
if (Object.prototype.toString.call(shared) !== '[object SharedArrayBuffer]') throw new TypeError('no ring was given');
const ring = new HashRing(workerData);
ring.announceHelper();
for (let slot = 0; ; slot = (slot + 1) % SLOTS) {
  ring.waitWhileNot(slot, slotState.full);
  ring.digestOf(slot).set(createHash('sha256').update(ring.pieceIn(slot)).digest());
  ring.setState(slot, slotState.hashed);
}
