import { describe, expect, test } from '@jest/globals';
import { withFunction } from '../../fixtures/passes/wat-module.js';
import { boundIterations } from './loop-bounds.js';

/** The bounds that are found of the loops of a function, of up to 10 iterations. */
function bounds(code: string): number[] {
  const wat = `(module (import "mvvm" "mark" (func $mvvm.point.loop)) (memory 1)
    (func $run (param $n i32) (param $p i32) (local $i i32) ${code}))`;
  return withFunction(wat, (module, fn) => [...boundIterations(module, fn, 10).values()]);
}

/** Writes from `$i` on, by 4, with a point in each iteration, until it meets the end, which it may jump over. */
const writes = (end: number, exit = ''): string =>
  `(local.set $i (i32.and (local.get $n) (i32.const 31)))
   (block $out (loop $L
     (call $mvvm.point.loop)
     (i32.store (local.get $i) (i32.const 1)) ${exit}
     (br_if $L (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (i32.const ${end})))))`;

describe('loops with a point inside have few iterations', () => {
  test('when they are left, or trap', () => {
    expect(bounds(writes(40))).toEqual([10]);
  });

  test.each([
    ['not if they may have one more', writes(44)],
    [
      'not if they may be left after they have jumped over their end',
      writes(40, '(br_if $out (i32.load (local.get $i)))'),
    ],
    ['not if they reach no memory', writes(40).replace('(i32.store (local.get $i) (i32.const 1))', '')],
  ])('%s', (_, code) => {
    expect(bounds(code)).toEqual([]);
  });
});
