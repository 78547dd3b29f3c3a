import { describe, expect, test } from '@jest/globals';
import { withModule } from '../fixtures/passes/wat-module.js';
import type { Policy, StableMap } from '../runtime/abi/index.js';
import type { Profile } from './pass.js';
import { instrument } from './pipeline.js';

const original = '0'.repeat(64);

function mapOf(fields: string, policies: readonly Policy[], points?: Profile['points']): StableMap {
  const options = { policies, thresholdBits: 16, ...(points === undefined ? {} : { profile: { original, points } }) };
  return withModule(`(module ${fields})`, (module) => instrument(module, options).map);
}

/** All points of a map as a profile names them; those in `counts` were passed so often, the others once. */
function profileOf(map: StableMap, counts: Readonly<Record<string, number>>): Profile['points'] {
  return map.functions.flatMap((fn) =>
    fn.points.map(({ kind, ordinal }) => {
      const count = counts[`${fn.name} ${kind}.${ordinal}`] ?? 1;
      return { function: fn.name, kind, ordinal, count };
    }),
  );
}

/** How many points of a kind a function has. */
const count = (map: StableMap, name: string, kind: string): number =>
  map.functions.find((fn) => fn.name === name)?.points.filter((point) => point.kind === kind).length ?? 0;

const branches = `(func $f (param $a i32) (param $b i32) (param $c i32)
  (block $x (br_if $x (local.get $a)))
  (block $y (br_if $y (local.get $b)))
  (block $z (br_if $z (local.get $c))))`;

describe('points that are too hot are left out', () => {
  test('each of several, whichever was the hottest', () => {
    for (const [hot, live] of [
      // What is live at the point that is left tells which one it is.
      [['f branch.0', 'f branch.1'], ['c']],
      [['f branch.1', 'f branch.0'], ['c']],
      [
        ['f branch.0', 'f branch.2'],
        ['b', 'c'],
      ],
      [
        ['f branch.2', 'f branch.1'],
        ['a', 'b', 'c'],
      ],
    ] as const) {
      const before = mapOf(branches, ['br-checkpoint']);
      const [hottest, next] = hot;
      // Others that were passed once bring the average down.
      const quiet = Array.from({ length: 4 }, (_, n) => ({ function: 'other', kind: 'loop', ordinal: n, count: 1 }));
      const profile = [...profileOf(before, { [hottest]: 1000, [next]: 900 }), ...quiet];
      const after = mapOf(branches, ['br-checkpoint'], profile);
      const [fn] = after.functions;
      const left = fn?.points.filter(({ kind }) => kind === 'branch') ?? [];
      expect(left.map(({ live: slots }) => slots.map((slot) => fn?.slots[slot]?.name))).toEqual([live]);
    }
  });

  test('at the entry of a function', () => {
    const code = '(func $f (call $g) (call $g)) (func $g)';
    const before = mapOf(code, ['function-checkpoint']);
    // entry.0 is the point that each function has, entry.1 the poll of this policy.
    expect(count(before, 'g', 'entry')).toBe(2);
    const after = mapOf(code, ['function-checkpoint'], profileOf(before, { 'g entry.1': 1000 }));
    expect(count(after, 'g', 'entry')).toBe(0);
    expect(count(after, 'f', 'entry')).toBe(2);
  });

  test('before a host call, also behind one that can block', () => {
    const code = `(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
      (import "env" "tick" (func $tick (param i32)))
      (func $f (param $a i32) (param $b i32)
        (drop (call $read (local.get $a) (local.get $a) (local.get $a) (local.get $a)))
        (call $tick (local.get $b)))`;
    const before = mapOf(code, ['function-checkpoint']);
    // The point before fd_read, the call itself, and the point before tick.
    expect(count(before, 'f', 'host')).toBe(3);
    const after = mapOf(code, ['function-checkpoint'], profileOf(before, { 'f host.2': 1000 }));
    const [fn] = after.functions;
    const left = fn?.points.filter(({ kind }) => kind === 'host') ?? [];
    expect(left.map(({ live }) => live.map((slot) => fn?.slots[slot]?.name))).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ]);
  });
});

describe('points are kept', () => {
  test('without a profile', () => {
    expect(mapOf(branches, ['br-checkpoint'], [])).toEqual(mapOf(branches, ['br-checkpoint']));
  });

  test('when none is hotter than twice the average', () => {
    const before = mapOf(branches, ['br-checkpoint']);
    const profile = profileOf(before, { 'f branch.0': 2, 'f branch.1': 2, 'f branch.2': 2 });
    expect(mapOf(branches, ['br-checkpoint'], profile)).toEqual(before);
  });

  test('when a recursion would have none', () => {
    const code = '(func $f (param $n i32) (if (local.get $n) (then (call $f (i32.const 0)))))';
    const before = mapOf(code, ['function-checkpoint']);
    const profile = profileOf(before, { 'f entry.0': 1000, 'f entry.1': 1000 });
    expect(mapOf(code, ['function-checkpoint'], profile)).toEqual(before);
  });

  test('when a loop would have none, and the next hottest point of the loop goes instead', () => {
    const code = '(func $f (param $n i32) (loop $l (br_if $l (local.get $n))))';
    const both: Policy[] = ['loop-checkpoint', 'br-checkpoint'];
    const before = mapOf(code, both);
    const quiet = Array.from({ length: 8 }, (_, n) => ({ function: 'other', kind: 'loop', ordinal: n, count: 1 }));
    const after = mapOf(code, both, [...profileOf(before, { 'f loop.0': 1000, 'f branch.0': 900 }), ...quiet]);
    expect(count(after, 'f', 'loop') + count(after, 'f', 'branch')).toBe(1);
  });
});
