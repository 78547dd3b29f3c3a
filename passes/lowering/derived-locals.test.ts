import { describe, expect, test } from '@jest/globals';
import { textOf, withFunction } from '../../fixtures/passes/wat-module.js';
import { inlineDerivedLocals } from './derived-locals.js';

/** A function whose locals `$n`, `$s`, `$a` and `$b` have the numbers 0 to 3; `$n` is a parameter. */
const functionOf = (
  code: string,
): string => `(module (memory 1) (table $t 9 funcref) (global $sp (mut i32) (i32.const 0))
  (func $f (param $n i32) (result i32) (local $s i32) (local $a i32) (local $b i32) ${code}))`;

const unchanged = (code: string): string => withFunction(functionOf(code), (module, fn) => textOf(module.body(fn)));

function inlined(code: string): string {
  return withFunction(functionOf(code), (module, fn) => {
    inlineDerivedLocals(module, fn);
    module.validate('inlineDerivedLocals');
    return textOf(module.body(fn));
  });
}

const $frame = '(local.set $s (i32.sub (global.get $sp) (i32.const 32)))';
const frame = '(local.set $1 (i32.sub (global.get $sp) (i32.const 32)))';

describe('is computed where it is used', () => {
  test.each([
    [
      'an address in a frame',
      `${$frame} (local.set $a (i32.add (local.get $s) (i32.const 8))) (i32.load (local.get $a))`,
      `(block (result i32) ${frame} (nop) (i32.load $0 (i32.add (local.get $1) (i32.const 8))))`,
    ],
    [
      'what is computed from that',
      `${$frame} (local.set $b (i32.or (local.tee $a (i32.add (local.get $s) (i32.const 8))) (i32.const 1)))
       (i32.sub (local.get $b) (local.get $a))`,
      `(block (result i32) ${frame} (nop)
        (i32.sub (i32.or (i32.add (local.get $1) (i32.const 8)) (i32.const 1)) (i32.add (local.get $1) (i32.const 8))))`,
    ],
    [
      'a number from a parameter',
      '(local.set $a (i32.and (local.get $n) (i32.const 7))) (loop $l (br_if $l (i32.load (local.get $a)))) (local.get $a)',
      `(block (result i32) (nop) (loop $l (br_if $l (i32.load $0 (i32.and (local.get $0) (i32.const 7)))))
        (i32.and (local.get $0) (i32.const 7)))`,
    ],
    [
      'what is assigned together with a local that is used for other things',
      `(local.set $a (local.tee $b (i32.add (local.get $n) (i32.const 4)))) (local.set $b (i32.load (local.get $b)))
       (i32.add (local.get $a) (local.get $b))`,
      `(block (result i32) (drop (local.tee $3 (i32.add (local.get $0) (i32.const 4))))
        (local.set $3 (i32.load $0 (local.get $3))) (i32.add (i32.add (local.get $0) (i32.const 4)) (local.get $3)))`,
    ],
  ])('%s', (_, code, expected) => {
    expect(inlined(code)).toBe(expected.replace(/\s+/g, ' '));
  });
});

describe('stays as it is', () => {
  const a = '(local.set $a (i32.add (local.get $n) (i32.const 4)))';
  test.each([
    ['what may not be assigned', `(if (local.get $n) (then ${a})) (local.get $a)`],
    ['what is assigned behind a branch', `(block $out (br_if $out (local.get $n)) ${a}) (local.get $a)`],
    ['what is assigned in a loop', `(loop $l ${a} (br_if $l (i32.load (local.get $a)))) (local.get $a)`],
    ['what was read before', `(i32.store (local.get $a) (i32.const 1)) ${a} (local.get $a)`],
    ['what is assigned twice', `${a} (local.set $a (i32.load (local.get $a))) (local.get $a)`],
    ['what is computed from a parameter that changes', `${a} (local.set $n (i32.const 1)) (local.get $a)`],
    [
      'what is computed from a local that changes',
      `(local.set $b (i32.load (i32.const 0))) (local.set $a (i32.add (local.get $b) (i32.const 4)))
       (local.set $b (i32.const 1)) (local.get $a)`,
    ],
    ['what is computed from memory', '(local.set $a (i32.load (local.get $n))) (local.get $a)'],
    ['what takes long', '(local.set $a (i32.mul (local.get $n) (local.get $n))) (local.get $a)'],
    [
      'what the end of a loop is',
      `${a} (loop $l (br_if $l (i32.ne (local.tee $b (i32.add (local.get $b) (i32.const 4))) (local.get $a)))) (local.get $a)`,
    ],
    [
      'what operations read whose operands do not show',
      `${a} (table.copy $t $t (local.get $a) (i32.const 1) (i32.const 1)) (local.get $a)`,
    ],
    ['what is used often', `${a} ${'(drop (local.get $a))'.repeat(8)} (local.get $a)`],
  ])('%s', (_, code) => {
    expect(inlined(code)).toBe(unchanged(code));
  });
});
