import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import { HashRing, RING_BYTES, SLOTS, slotState } from './snapshot-file-hash-ring.js';
import { nodeHasher } from './snapshot-file-hasher.js';

const LARGE = 1 << 30;
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** In two parts, the first from a buffer that is used again at once. */
function addPiece(hasher: ReturnType<typeof nodeHasher>, piece: Uint8Array): void {
  const add = hasher.beginPiece();
  const half = Uint8Array.from(piece.subarray(0, piece.length >> 1));
  add(half);
  half.fill(0);
  add(piece.subarray(half.length));
  hasher.endPiece(piece.length);
}

describe('the hasher of Node', () => {
  test.each([
    ['small', 1 << 20],
    ['large', LARGE],
  ])('gives the hash of every piece in order, whoever hashed it: %s', (_, size) => {
    const pieces = Array.from({ length: 150 }, (__, index) => randomBytes(index * 6000 + 1));
    const expected = Buffer.concat(pieces.map(sha256)).toString('hex');
    // Three times: the helper is not there yet at first, and is used again later.
    for (let round = 0; round < 3; round++) {
      const hasher = nodeHasher(size);
      for (const piece of pieces) addPiece(hasher, piece);
      expect(Buffer.from(hasher.finish()).toString('hex')).toBe(expected);
    }
  });

  test('can be left in the middle, and two can work at once', () => {
    const piece = randomBytes(500_000);
    const left = nodeHasher(LARGE);
    for (let count = 0; count < 20; count++) addPiece(left, piece);
    left.beginPiece();
    const [a, b] = [nodeHasher(LARGE), nodeHasher(LARGE)];
    addPiece(a, piece);
    left.close();
    addPiece(b, piece);
    addPiece(b, piece);
    expect(a.finish()).toEqual(sha256(piece));
    expect(b.finish()).toEqual(Buffer.concat([sha256(piece), sha256(piece)]));
  });
});

describe('the ring', () => {
  test('keeps each slot, its bytes and its digest apart from the others', () => {
    const shared = new SharedArrayBuffer(RING_BYTES);
    const [owner, helper] = [new HashRing(shared), new HashRing(shared)];
    expect(owner.hasHelper).toBe(false);
    helper.announceHelper();
    expect(owner.hasHelper).toBe(true);
    const pieces = Array.from({ length: SLOTS }, (_, slot) => randomBytes((1 << 20) - slot));
    pieces.forEach((piece, slot) => {
      expect(owner.isIn(slot, slotState.free)).toBe(true);
      owner.placeIn(slot).set(piece);
      owner.publish(slot, piece.length);
    });
    pieces.forEach((_, slot) => {
      expect(helper.waitWhileNot(slot, slotState.full, 0)).toBe(true);
      helper.digestOf(slot).set(sha256(helper.pieceIn(slot)));
      helper.setState(slot, slotState.hashed);
    });
    pieces.forEach((piece, slot) => {
      expect(owner.waitWhileNot(slot, slotState.hashed, 0)).toBe(true);
      expect(Buffer.from(owner.digestOf(slot))).toEqual(sha256(piece));
      expect(Buffer.compare(owner.pieceIn(slot), piece)).toBe(0);
    });
  });

  test('waits no longer than it is told to', () => {
    expect(new HashRing(new SharedArrayBuffer(RING_BYTES)).waitWhileNot(0, slotState.full, 1)).toBe(false);
  });
});
