import { describe, expect, test } from '@jest/globals';
import { withFunction } from '../../fixtures/passes/wat-module.js';
import { callTarget, kindOf } from './expressions.js';
import { guessFrequencies } from './frequencies.js';

/** How often a function calls `$a`, `$b` ..., once each in its code, and how often its loops are run through. */
function guess(body: string): Record<string, number> {
  const imports = ['a', 'b', 'c', 'd'].map((name) => `(import "env" "${name}" (func $${name}))`).join(' ');
  return withFunction(`(module ${imports} (func $f (param $n i32) ${body}))`, (module, info) => {
    const { of } = guessFrequencies(module.body(info));
    const entries = [...of].map(([expr, often]) => [kindOf(expr) === 'Call' ? callTarget(expr) : 'loop', often]);
    return Object.fromEntries(entries);
  });
}

describe('code is run', () => {
  test.each<[string, string, Record<string, number>]>([
    ['once, if nothing says otherwise', '(call $a) (call $b)', { a: 1, b: 1 }],
    [
      'eight times as often in a loop',
      '(call $a) (loop $l (call $b) (br_if $l (local.get $n))) (call $c)',
      { a: 1, b: 8, c: 1, loop: 8 },
    ],
    [
      'as often behind a loop that is left early',
      '(block $x (loop $l (br_if $x (local.get $n)) (call $a) (br $l))) (call $b)',
      { a: 8, b: 1, loop: 8 },
    ],
    [
      'as often in the arms of an if',
      '(if (local.get $n) (then (call $a)) (else (call $b))) (call $c)',
      { a: 1, b: 1, c: 1 },
    ],
    ['as often behind arms that leave', '(if (local.get $n) (then (call $a) (return))) (call $b)', { a: 1, b: 1 }],
    ['as often behind a branch', '(block $x (br_if $x (local.get $n)) (call $a)) (call $b)', { a: 1, b: 1 }],
    [
      'where a switch goes, alike often',
      `(block $z (block $y (block $x (br_table $x $y $x $z (local.get $n))) (call $a) (br $z)) (call $b)) (call $c)`,
      { a: 1 / 3, b: 1 / 3, c: 1 },
    ],
    [
      'where a switch in a loop goes, and in loops there',
      `(loop $l (block $y (block $x (br_table $x $y (local.get $n))) (loop $m (call $a) (br_if $m (local.get $n)))) (br_if $l (local.get $n)))`,
      { a: 32, loop: 32 },
    ],
    ['never where control does not come', '(call $a) (return) (call $b)', { a: 1, b: 0 }],
    [
      'as often behind code that does not come to its end',
      '(block $x (br_if $x (local.get $n)) (call $a) (unreachable)) (call $b)',
      { a: 1, b: 1 },
    ],
  ])('%s', (_, body, often) => {
    expect(guess(body)).toEqual(often);
  });
});

test('work and size are those of all expressions', () => {
  const body = '(nop) (loop $l (br_if $l (local.get $n)))';
  const frequencies = withFunction(`(module (func $f (param $n i32) ${body}))`, (module, info) =>
    guessFrequencies(module.body(info)),
  );
  // The block, the nop and the loop once, the branch and what it tests eight times.
  expect(frequencies).toMatchObject({ size: 5, work: 3 + 2 * 8, peak: 8 });
});
