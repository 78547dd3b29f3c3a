import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { LocalSet } from './local-set.js';

const size = 100;
const local = fc.integer({ min: 0, max: size - 1 });
const locals = fc.array(local);

function setOf(members: Iterable<number>): LocalSet {
  const set = new LocalSet(size);
  for (const member of members) set.add(member);
  return set;
}

const ascending = (members: Iterable<number>): number[] => [...new Set(members)].sort((a, b) => a - b);

describe('a set of locals', () => {
  test('has what was added and not deleted, in ascending order', () => {
    fc.assert(
      fc.property(locals, locals, (added, deleted) => {
        const set = setOf(added);
        for (const member of deleted) set.delete(member);
        const expected = ascending(added.filter((member) => !deleted.includes(member)));
        expect([...set]).toEqual(expected);
        for (let member = 0; member < size; member++) expect(set.has(member)).toBe(expected.includes(member));
      }),
    );
  });

  test('tells whether adding another set changed it', () => {
    fc.assert(
      fc.property(locals, locals, (mine, others) => {
        const set = setOf(mine);
        const changed = set.addAll(setOf(others));
        expect(changed).toBe(others.some((member) => !mine.includes(member)));
        expect([...set]).toEqual(ascending([...mine, ...others]));
        expect(set.addAll(setOf(others))).toBe(false);
      }),
    );
  });

  test('has members at the borders of its words', () => {
    const borders = [0, 31, 32, 63, 64, 95, 96, 99];
    expect([...setOf(borders)]).toEqual(borders);
  });

  test('is not changed by what happens to its clone', () => {
    const set = setOf([1, 40]);
    const clone = set.clone();
    clone.add(2);
    clone.delete(40);
    expect([...set]).toEqual([1, 40]);
    expect([...clone]).toEqual([1, 2]);
  });

  test('becomes equal to another, or empty', () => {
    const set = setOf([1, 40]);
    set.assign(setOf([3]));
    expect([...set]).toEqual([3]);
    set.clear();
    expect([...set]).toEqual([]);
  });

  test('of a function without locals is empty', () => {
    expect([...new LocalSet(0)]).toEqual([]);
    expect(new LocalSet(0).has(0)).toBe(false);
  });
});
