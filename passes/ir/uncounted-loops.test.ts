import { describe, expect, test } from '@jest/globals';
import { withFunction } from '../../fixtures/passes/wat-module.js';
import { kindOf, labelOf } from './expressions.js';
import { findChargedLoops, findUncountedLoops } from './uncounted-loops.js';
import { walk } from './walk.js';

/** Of the loops of a function, the labels of those that need no counted point, and of those of them that count afterwards. */
function uncounted(code: string, thresholdBits = 16): { all: string[]; scans: string[] } {
  const wat = `(module (memory 1)
    (func $run (param $p i32) (param $n i32) (local $i i32) ${code}))`;
  return withFunction(wat, (module, fn) => {
    const loops = findUncountedLoops(module, fn, thresholdBits);
    const { scans } = findChargedLoops(module, fn, thresholdBits);
    const found = { all: [] as string[], scans: [] as string[] };
    walk(module.body(fn), (expr) => {
      if (kindOf(expr) !== 'Loop') return;
      if (loops.has(expr)) found.all.push(labelOf(expr) ?? '');
      if (scans.has(expr)) found.scans.push(labelOf(expr) ?? '');
    });
    return found;
  });
}

const next = (local: string, step: number): string =>
  `(local.tee $${local} (i32.add (local.get $${local}) (i32.const ${step})))`;
const toEndOfText = `(loop $text (br_if $text (i32.load8_u ${next('p', 1)})))`;
/** Writes numbers from `$i` up to below the end, which is not met by a counter that jumps over it. */
const writes = (end: string): string =>
  `(loop $writes (i32.store (local.get $i) (i32.const 1)) (br_if $writes (i32.ne ${next('i', 4)} ${end})))`;
const begin = (value: string): string => `(local.set $i ${value})`;
const small = '(i32.and (local.get $n) (i32.const 31))';

describe('need no counted point', () => {
  test('scans, which are counted afterwards', () => {
    expect(uncounted(toEndOfText)).toEqual({ all: ['text'], scans: ['text'] });
  });

  test.each([
    ['between constants', begin('(i32.const 8)') + writes('(i32.const 40)')],
    ['that may jump over their end, to where memory ends', begin(small) + writes('(i32.const 40)')],
    ['that may be beyond their end', begin(small) + writes('(i32.const 16)')],
  ])('writes to memory %s, which are not counted at all', (_, code) => {
    expect(uncounted(code)).toEqual({ all: ['writes'], scans: [] });
  });

  test('loops whose scans inside are short', () => {
    const outer = `(local.set $n (i32.const 5))
      (loop $outer ${begin(small)} ${writes('(i32.const 40)')} (br_if $outer ${next('n', -1)}))`;
    expect(uncounted(outer)).toEqual({ all: ['writes', 'outer'], scans: [] });
  });
});

describe('short loops that take long are counted as a whole', () => {
  /** As how many each loop counts: one for 256 expressions. */
  const counts = (code: string): [string, number][] =>
    withFunction(`(module (memory 1) (func $run (param $n i32) (local $i i32) (local $j i32) ${code}))`, (module, fn) =>
      [...findChargedLoops(module, fn, 16).short].map(([loop, count]) => [labelOf(loop) ?? '', count]),
    );
  const loop = (label: string, local: string, turns: number, inside: string): string =>
    `(local.set $${local} (i32.const 0))
     (loop $${label} ${inside} (br_if $${label} (i32.ne ${next(local, 1)} (i32.const ${turns}))))`;

  test('with what the loops inside do', () => {
    const test = 7; // branch, comparison, assignment, sum, local, two constants
    const inner = 20 * (2 + test); // block, nop
    const outer = 9 * (4 + inner + test); // block, assignment, constant, loop
    expect(counts(loop('outer', 'i', 9, loop('inner', 'j', 20, '(nop)')))).toEqual([
      ['outer', Math.floor(outer / 256)],
    ]);
  });

  test('not if they do not', () => {
    expect(counts(loop('outer', 'i', 9, '(nop)'))).toEqual([]);
  });
});

test('scans that may jump over their end are counted afterwards if they are left in another way, too', () => {
  const search = `(block $out (loop $search (br_if $out (i32.eq (i32.load (local.get $i)) (i32.const 1)))
    (br_if $search (i32.ne ${next('i', 4)} (i32.const 40)))))`;
  expect(uncounted(begin(small) + search)).toEqual({ all: ['search'], scans: ['search'] });
});

describe('need a counted point', () => {
  test.each([
    ['writes to memory whose number is not known', `${begin('(local.get $p)')} ${writes('(local.get $n)')}`],
    ['those that run in strips', `${begin('(local.get $p)')} ${writes('(i32.const 40)')}`],
    // All numbers but one are in that range, and the distance to it comes round.
    [
      'those that go to an end other than zero',
      `(if (local.get $n) (then ${begin('(i32.const 0)')} ${writes('(local.get $n)')}))`,
    ],
    [
      'writes to memory that lag behind what may be beyond its end',
      `${begin(small)} (loop $slow (i32.store8 ${next('p', 1)} (i32.const 1)) (br_if $slow (i32.ne ${next('i', 4)} (i32.const 16))))`,
    ],
    [
      'writes to memory in two places, each of which may stay where it is, up to what may be beyond its end',
      `${begin('(i32.and (local.get $n) (i32.const 4))')} (loop $either
         (i32.store8 (local.get $p) (i32.const 1)) (drop (i32.load8_u (local.get $n)))
         (if (i32.and (local.get $i) (i32.const 15)) (then (drop ${next('n', 1)})) (else (drop ${next('p', 1)})))
         (br_if $either (i32.ne ${next('i', 1)} (i32.const 4))))`,
    ],
    ['those that are long', `${begin(small)} ${writes('(i32.const 400)')}`],
    [
      'scans with many ways out',
      `(block $out (loop $L ${'(br_if $out (i32.eq (i32.load8_u (local.get $p)) (local.get $n)))'.repeat(5)} (drop ${next('p', 1)}) (br $L)))`,
    ],
    [
      'loops with scans inside',
      `(local.set $n (i32.const 5))
       (loop $outer (block $B (loop $text (br_if $B (i32.load8_u ${next('p', 1)})) (br $text))) (br_if $outer ${next('n', -1)}))`,
    ],
    [
      'loops that may jump over their end',
      `${begin(small)} (loop $L (br_if $L (i32.ne ${next('i', 4)} (i32.const 40))))`,
    ],
  ])('%s', (_, code) => {
    expect(uncounted(code).all.filter((label) => label !== 'text')).toEqual([]);
  });

  test('all of them, where the gate opens often', () => {
    expect(uncounted(toEndOfText, 10)).toEqual({ all: [], scans: [] });
  });
});
