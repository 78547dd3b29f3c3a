import { expect, test } from '@jest/globals';
import { lineariseIdle, linesOf } from '../../fixtures/passes/linear-text.js';
import { withFunction } from '../../fixtures/passes/wat-module.js';
import { makeLoopsNatural } from './natural-loops.js';

/** The linear code of a function body whose loops were made natural, without the end that every function has. */
function natural(body: string): string[] {
  const wat = `(module (import "mvvm" "point.loop" (func $mvvm.point.loop)) (global $x (mut i32) (i32.const 0))
    (func $f ${body}) (func $g (call $mvvm.point.loop)))`;
  return withFunction(wat, (module, info) => {
    const fn = lineariseIdle(module, info);
    makeLoopsNatural(fn.body, module.make);
    const lines = linesOf(fn.body);
    expect(lines.at(-1)).toBe('(return)');
    return lines.slice(0, -1);
  });
}

const next = '(global.set $x (i32.const 1))';
const goesOn = '(br_table $found $next (global.get $x))';

test('what follows a search is put behind its loop', () => {
  const found = `(block $next (block $found ${goesOn}) (call $g) (br $end))`;
  expect(natural(`(block $end (loop $L (call $mvvm.point.loop) ${found} ${next} (br $L)))`)).toEqual([
    'loop L budget loop.0',
    `  (block $found ${goesOn})`,
    '  (br $mvvm.beyond.1)',
    '  end next',
    `  ${next}`,
    '  (br $L)',
    'end mvvm.beyond.1',
    '(call $g) at call.0',
    '(br $end)',
    'end end',
  ]);
});

test('what control falls into gets a branch to it, and what fell out of the loop one over it', () => {
  const found = '(if (global.get $x) (then (call $g) (br $end)))';
  expect(natural(`(block $end (loop $L ${found} (br_if $L (global.get $x))) (call $g))`)).toEqual([
    'loop L',
    '  (br_if $mvvm.if.1 (i32.eqz (global.get $x)))',
    '  (br $mvvm.beyond.1)',
    '  end mvvm.if.1',
    '  (br_if $L (global.get $x))',
    '(br $mvvm.beyond.2)',
    'end mvvm.beyond.1',
    '(call $g) at call.0',
    '(br $end)',
    'end mvvm.beyond.2',
    '(call $g) at call.1',
    'end end',
  ]);
});

test('what ends a loop falls out of it as before', () => {
  expect(natural(`(loop $L (if (global.get $x) (then ${next} (br $L))) (call $g)) (call $g)`)).toEqual([
    'loop L',
    `  (if (global.get $x) (then ${next} (br $L)))`,
    '  (br $mvvm.beyond.1)',
    'end mvvm.beyond.1',
    '(call $g) at call.0',
    '(call $g) at call.1',
  ]);
});

test('of a loop in another, what leads back to neither is put behind both', () => {
  const found = '(if (global.get $x) (then (call $g) (br $end)))';
  expect(
    natural(`(block $end (loop $outer (loop $inner ${found} (br_if $inner (global.get $x))) (br $outer)))`),
  ).toEqual([
    'loop outer',
    '  loop inner',
    '    (br_if $mvvm.if.1 (i32.eqz (global.get $x)))',
    '    (br $mvvm.beyond.1)',
    '    end mvvm.if.1',
    '    (br_if $inner (global.get $x))',
    '  (br $mvvm.beyond.2)',
    '  end mvvm.beyond.2',
    '  (br $outer)',
    'end mvvm.beyond.1',
    '(call $g) at call.0',
    '(br $end)',
    'end end',
  ]);
});

test('a loop stays as it is if there are no points in such code', () => {
  const left = `(block $next (block $found ${goesOn}) ${next} (br $end))`;
  const lines = natural(`(block $end (loop $L (call $g) ${left} (br $L)))`);
  expect(lines.at(0)).toBe('loop L');
  expect(lines.slice(1, -1).every((line) => line.startsWith('  '))).toBe(true);
});

test('a loop stays as it is if its head is never come back to', () => {
  expect(natural('(block $end (loop $L (call $g) (br $end)))')).toEqual([
    'loop L',
    '  (call $g) at call.0',
    '  (br $end)',
    'end end',
  ]);
});
