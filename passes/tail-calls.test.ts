/**
 * Tail calls between functions that can be stopped. Each program is compared with itself: compiled under every policy,
 * undisturbed, and stopped and restored at each of its stable points.
 */

import { describe, expect, test } from '@jest/globals';
import { compile } from '../compiler/index.js';
import { everyPolicy, expectSameAtEveryPoint } from '../fixtures/passes/every-policy.js';
import { noteImport, sayFunction } from '../fixtures/passes/say.js';
import { subjectOf } from '../fixtures/passes/subject.js';
import { loadProgram, startGuest } from '../runtime/index.js';

/** `run` calls $even, which takes turns with $odd; $wide and $other have other parameters and the same result. */
function program(body: string): string {
  return `(module
    ${noteImport}
    (type $turn (func (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (table 4 4 funcref)
    (elem (i32.const 0) $even $odd $say2)
    ${sayFunction()}
    (func $say2 (param i32 i32) (result i32) (i32.add (call $say (local.get 0)) (local.get 1)))
    (func $even (param $n i32) (param $sum i32) (result i32)
      (if (i32.eqz (local.get $n)) (then (return (call $say (local.get $sum)))))
      (return_call $odd (i32.sub (local.get $n) (i32.const 1)) (i32.add (call $say (local.get $sum)) (local.get $n))))
    (func $odd (param $n i32) (param $sum i32) (result i32)
      (if (i32.eqz (local.get $n)) (then (return (i32.sub (i32.const 0) (call $say (local.get $sum))))))
      (return_call_indirect (type $turn)
        (i32.sub (local.get $n) (i32.const 1)) (i32.mul (call $say (local.get $sum)) (i32.const 3)) (i32.const 0)))
    (func $wide (param $a i64) (param $b f64) (result i32)
      (return_call $say2 (i32.wrap_i64 (local.get $a)) (call $say (i32.trunc_f64_s (local.get $b)))))
    (func $chain (result i32) (return_call $wide (i64.const 5) (f64.const 7.5)))
    (func $test (param $x i32) (param $y i32) (result i32) ${body})
    (func (export "run") (result i32) (return_call $test (i32.const 3) (i32.const 4))))`;
}

const programs: readonly (readonly [string, string])[] = [
  ['two functions that take turns', '(call $even (i32.const 5) (i32.const 1))'],
  ['a chain with other parameters each', '(i32.add (call $chain) (call $say (local.get $x)))'],
  [
    'an indirect call of what ends in tail calls',
    '(i32.add (call_indirect (type $turn) (i32.const 3) (local.get $y) (i32.const 1)) (local.get $x))',
  ],
  [
    'a tail call in an arm, behind a loop',
    `(loop $l (drop (call $say (local.get $x))) (br_if $l (local.tee $x (i32.sub (local.get $x) (i32.const 1)))))
    (if (result i32) (call $say (local.get $y)) (then (return_call $even (local.get $y) (local.get $x))) (else (i32.const 0)))`,
  ],
  [
    'an exception out of what was called in place of the function that was called in a try',
    `(try (result i32) (do (call $throws (local.get $x))) (catch $e (i32.add (pop i32) (call $say (i32.const 2)))))`,
  ],
];

const withThrow = (wat: string): string =>
  wat.replace(
    '(func $test',
    `(tag $e (param i32))
    (func $throw (param i32 i32) (result i32) (throw $e (call $say2 (local.get 0) (local.get 1))))
    (func $throws (param $n i32) (result i32)
      (try (do (return_call $throw (local.get $n) (call $say (i32.const 1)))) (catch_all (unreachable))))
    (func $test`,
  );

describe.each(programs)('%s', (name, body) => {
  const subject = subjectOf(name, withThrow(program(body)));

  test.each(everyPolicy)('$policy', (configuration) => expectSameAtEveryPoint(subject, configuration, 6));
});

const far = `(module
  (func $a (param $n i32) (param $sum i32) (result i32)
    (if (i32.eqz (local.get $n)) (then (return (local.get $sum))))
    (return_call $b (i32.sub (local.get $n) (i32.const 1)) (i32.add (local.get $sum) (i32.const 1))))
  (func $b (param $n i32) (param $sum i32) (result i32)
    (return_call $a (local.get $n) (local.get $sum)))
  (func (export "run") (result i32) (call $a (i32.const 1000000) (i32.const 1))))`;

test('a million turns take no stack, and can be stopped in each', async () => {
  const { wasm } = subjectOf('far', far);
  const program = await loadProgram(compile(wasm, { policies: ['function-checkpoint'], optLevel: 0 }).wasm);
  const guest = startGuest(program, { entry: 'run' });
  const stopped = guest.run({ atPoint: 900_000 });
  expect(stopped).toMatchObject({ kind: 'checkpointed', snapshot: { stablePoints: 900_000 } });
  if (stopped.kind === 'checkpointed') expect(stopped.snapshot.words.length).toBeLessThan(30);
  expect(guest.run()).toMatchObject({ kind: 'finished', results: [1_000_001] });
});
