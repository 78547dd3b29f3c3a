import { describe, expect, test } from '@jest/globals';
import { checkProfile, readProfile } from './profile.js';

const original = '0123456789abcdef'.repeat(4);
const profile = { original, points: [{ function: 'main', kind: 'loop', ordinal: 2, count: 7_000_000_000 }] };

function problemOf(action: () => unknown): { code: string; message: string } {
  try {
    action();
  } catch (error) {
    return Object(error).diagnostic;
  }
  throw new Error('nothing was thrown');
}

describe('a profile', () => {
  test('is read from JSON', () => {
    expect(readProfile(JSON.stringify(profile), 'p.json')).toEqual(profile);
  });

  test.each([
    ['nonsense', 'it is not JSON'],
    ['[]', 'it: '],
    ['{"points": []}', 'original: '],
    [JSON.stringify({ ...profile, original: 'ABC' }), 'original: must be a SHA-256 in lower-case hexadecimal'],
    [JSON.stringify({ original, points: [{ ...profile.points[0], count: -1 }] }), 'points.0.count: '],
    [JSON.stringify({ original, points: [{ ...profile.points[0], kind: 'lop' }] }), 'points.0.kind: '],
    [JSON.stringify({ ...profile, extra: 1 }), 'it: '],
  ])('%s is refused, naming the file and the place', (text, place) => {
    const { code, message } = problemOf(() => readProfile(text, 'p.json'));
    expect(code).toBe('options/invalid-profile');
    expect(message).toContain(`p.json is not a profile: ${place}`);
  });

  test('fits only the module it was made of', () => {
    const { points } = profile;
    checkProfile(readProfile(JSON.stringify({ original, points }), 'p.json'), original);
    checkProfile(undefined, original);
    const other = readProfile(JSON.stringify({ original: 'f'.repeat(64), points }), 'p.json');
    const { code, message } = problemOf(() => checkProfile(other, original));
    expect(code).toBe('options/profile-of-another-module');
    expect(message).toContain('ffffffffffffffff...');
    expect(message).toContain('0123456789abcdef...');
  });
});
