import { describe, expect, test } from '@jest/globals';
import { findClosest } from './closest.js';

const known = ['opt-level', 'size-level', 'threshold-bits', 'o', 'emit'];

describe('the word that was meant', () => {
  test.each([
    ['opt-levl', 'opt-level'],
    ['treshold-bits', 'threshold-bits'],
    ['threshold_bit', 'threshold-bits'],
    ['emti', 'emit'],
    ['exot', undefined],
    ['emot', 'emit'],
    ['x', undefined],
    ['something-else', undefined],
  ])('%s: %s', (word, meant) => {
    expect(findClosest(word, known)).toBe(meant);
  });
});
