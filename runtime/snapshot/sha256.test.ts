import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { sha256 } from './sha256.js';

const expected = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const actual = (bytes: Uint8Array): string => Buffer.from(sha256(bytes)).toString('hex');

describe('SHA-256 in plain TypeScript', () => {
  test('agrees with the host for every length around the size of its blocks', () => {
    for (let length = 0; length <= 200; length++) {
      const bytes = Uint8Array.from({ length }, (_, index) => index * 7 + length);
      expect(actual(bytes)).toBe(expected(bytes));
    }
  });

  test('agrees with the host for any bytes at any offset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 5000 }), fc.nat(7), (bytes, offset) => {
        const shifted = new Uint8Array(bytes.length + offset).subarray(offset);
        shifted.set(bytes);
        expect(actual(shifted)).toBe(expected(bytes));
      }),
    );
  });
});
