/**
 * Calls as operands in places where the order of evaluation is easily lost. Each program is compared with itself:
 * compiled under every policy, undisturbed, and stopped and restored at each of its stable points.
 */

import { describe, test } from '@jest/globals';
import { everyPolicy, expectSameAtEveryPoint } from '../fixtures/passes/every-policy.js';
import { addToSum, noteImport, say, sayFunction, sum } from '../fixtures/passes/say.js';
import { subjectOf } from '../fixtures/passes/subject.js';

/** A program that runs `body` with local $x = 3 and $y = 4, and returns what it leaves. */
function program(body: string): string {
  return `(module
    ${noteImport}
    (type $unary (func (param i32) (result i32)))
    (memory (export "memory") 1)
    ${sum}
    (table 4 4 funcref)
    (elem (i32.const 0) $say $double $fetch $say)
    ${sayFunction(addToSum)}
    (func $double (param $n i32) (result i32) (i32.mul (call $say (local.get $n)) (i32.const 2)))
    (func $fetch (param $n i32) (result i32) (i32.load (call $say (local.get $n))))
    (func $swap (param $a i32) (param $b i32) (result i32 i32)
      (call $say (local.get $b)) (call $say (local.get $a)))
    (func $test (param $x i32) (param $y i32) (result i32) ${body})
    (func (export "run") (result i32) (call $test (i32.const 3) (i32.const 4))))`;
}

const programs: readonly (readonly [string, string])[] = [
  ['both operands of an operation', `(i32.sub ${say(1)} ${say(2)})`],
  ['operands in operands', `(i32.sub (i32.mul ${say(1)} ${say(2)}) (i32.sub ${say(3)} (i32.mul ${say(4)} ${say(5)})))`],
  [
    'a load before a call that changes memory',
    `(i32.store (i32.const 8) (i32.const 5))
    (i32.add (i32.load (i32.const 8)) (block (result i32) (i32.store (i32.const 8) ${say(6)}) ${say(7)}))`,
  ],
  ['a global before a call that changes it', `(i32.add (global.get $g) (i32.mul ${say(2)} (global.get $g)))`],
  ['a local before a call whose operand sets it', `(i32.add (local.get $x) (call $say (local.tee $x (i32.const 9))))`],
  ['a local that a later operand sets', `(i32.sub (i32.sub (local.get $x) ${say(1)}) (local.tee $x ${say(5)}))`],
  [
    'a local in the address of a store whose value sets it',
    `
    (i32.store (i32.mul (local.get $x) (i32.const 4)) (local.tee $x ${say(5)}))
    (i32.add (i32.load (i32.const 12)) (i32.load (i32.const 20)))`,
  ],
  [
    'nested tees of one local',
    `(i32.add (local.tee $x (i32.add (local.tee $x ${say(1)}) (local.get $x))) (local.get $x))`,
  ],
  ['a tee around a call that reads what it sets', `(local.tee $x (call $double (local.get $x)))`],
  [
    'a store whose address and value are calls',
    `(i32.store offset=4 (i32.mul ${say(2)} (i32.const 4)) ${say(7)}) (i32.load (i32.const 12))`,
  ],
  ['a store that traps after its operands', `(i32.store (i32.add ${say(-1)} (i32.const 0)) ${say(7)}) (i32.const 0)`],
  ['a division that traps between two calls', `(i32.add (i32.div_u ${say(1)} (i32.const 0)) ${say(2)})`],
  ['the three operands of select', `(select ${say(1)} ${say(2)} ${say(0)})`],
  [
    'select with a condition that sets what it chooses from',
    `(select (local.get $x) (local.get $y) (local.tee $x ${say(0)}))`,
  ],
  ['operands of a call that are calls', `(call $say (i32.sub (call $double ${say(1)}) (call $double ${say(2)})))`],
  [
    'operands of a call that come before one with an effect',
    `(call $sub (local.get $x) (global.get $g) (local.tee $x ${say(6)}))`,
  ],
  ['the target of an indirect call is a call', `(call_indirect (type $unary) ${say(8)} ${say(1)})`],
  [
    'the target of an indirect call is set by its operand',
    `(call_indirect (type $unary) (local.tee $x ${say(2)}) (i32.sub (local.get $x) (i32.const 1)))`,
  ],
  [
    'an indirect call in an indirect call',
    `(call_indirect (type $unary) (call_indirect (type $unary) ${say(5)} (i32.const 1)) ${say(1)})`,
  ],
  ['an indirect call that traps after its operands', `(call_indirect (type $unary) ${say(8)} ${say(9)})`],
  [
    'br_if with a value whose condition is a call',
    `(block $b (result i32) (drop (br_if $b ${say(1)} ${say(0)})) (br_if $b ${say(2)} ${say(1)}))`,
  ],
  [
    'br_if with a value whose condition branches to the same label',
    `
    (block $b (result i32)
      (i32.add
        (br_if $b ${say(1)} (block (result i32) (drop (br_if $b ${say(2)} ${say('(i32.eqz (local.get $x))')})) ${say(0)}))
        ${say(10)}))`,
  ],
  [
    'br_if with a value whose condition leaves by the same label',
    `
    (block $b (result i32)
      (i32.add (br_if $b ${say(1)} (block (result i32) (drop (br_if $b ${say(2)} ${say('(local.get $x)')})) ${say(0)})) ${say(10)}))`,
  ],
  [
    'br_if with a value that is changed by its condition',
    `
    (block $b (result i32) (i32.add (br_if $b (local.get $x) (i32.eqz (local.tee $x ${say(5)}))) (local.get $x)))`,
  ],
  [
    'br_table with a value and a call for its index',
    `
    (block $a (result i32)
      (i32.add (i32.const 100) (block $b (result i32)
        (i32.add (i32.const 1000) (block $c (result i32) (br_table $a $b $c ${say(7)} ${say(1)}))))))`,
  ],
  [
    'br_table with a value whose index branches to the same label',
    `(i32.add (i32.const 1000) (block $b (result i32)
      (br_table $b ${say(1)} (block (result i32) (drop (br_if $b ${say(2)} ${say('(i32.eqz (local.get $x))')})) ${say(0)}))))`,
  ],
  [
    'br_table with a value whose index branches to the second of its labels',
    `(i32.add (i32.const 1000) (block $a (result i32) (i32.add (i32.const 100) (block $b (result i32)
      (br_table $a $b ${say(1)} (block (result i32) (drop (br_if $b ${say(2)} (i32.eqz (local.get $x)))) ${say(1)}))))))`,
  ],
  [
    'br_table with a value whose index leaves by the same label, without a call',
    `${say(9)} (drop) (i32.add ${say(0)} (block $b (result i32)
      (br_table $b (i32.const 4) (block (result i32) (drop (br_if $b (i32.const 8) (local.get $x))) (i32.const 1)))))`,
  ],
  [
    'br_table whose default is taken',
    `
    (block $a (result i32) (i32.add (i32.const 100) (block $b (result i32) (br_table $a $a $b ${say(7)} ${say(9)}))))`,
  ],
  [
    'br out of the operands of a call',
    `
    (block $b (result i32) (call $say (i32.add ${say(1)} (br $b ${say(2)}))))`,
  ],
  [
    'return out of an operand',
    `(i32.add ${say(1)} (if (result i32) (local.get $x) (then (return ${say(2)})) (else ${say(3)})))`,
  ],
  [
    'an if whose condition and arms are calls, as an operand',
    `
    (i32.sub ${say(1)} (if (result i32) ${say(0)} (then ${say(2)}) (else (i32.mul ${say(3)} ${say(4)}))))`,
  ],
  [
    'an if whose arm sets a local that was read before',
    `
    (i32.add (local.get $x) (if (result i32) ${say(1)} (then (local.set $x ${say(9)}) (local.get $x)) (else (i32.const 0))))`,
  ],
  [
    'a loop with a value, as a later operand',
    `
    (i32.sub ${say(1)} (loop $l (result i32) (drop ${say(2)}) (br_if $l (local.tee $x (i32.sub (local.get $x) (i32.const 1)))) ${say(3)}))`,
  ],
  [
    'a block that is left in the middle, as an operand',
    `
    (i32.sub (block $b (result i32) (drop (br_if $b ${say(1)} (local.get $x))) ${say(2)}) (block $c (result i32) ${say(3)}))`,
  ],
  [
    'several results of a call',
    `(local $s (tuple i32 i32)) (local.set $s (call $swap ${say(1)} ${say(2)}))
    (i32.sub (tuple.extract 2 0 (local.get $s)) (i32.mul (tuple.extract 2 1 (local.get $s)) ${say(3)}))`,
  ],
  [
    'several results carried by a branch',
    `(local $s (tuple i32 i32))
    (local.set $s (block $b (result i32 i32) (br_if $b (call $swap ${say(1)} ${say(2)}) ${say(0)}) (tuple.drop 2) (tuple.make 2 ${say(5)} ${say(6)})))
    (i32.sub (tuple.extract 2 0 (local.get $s)) (tuple.extract 2 1 (local.get $s)))`,
  ],
  [
    'bulk operations on calls',
    `
    (memory.fill ${say(16)} ${say(3)} ${say(4)}) (memory.copy ${say(32)} ${say(16)} ${say(2)}) (i32.load (i32.const 32))`,
  ],
  [
    'memory.grow of a call, beside one',
    `(i32.add (i32.mul ${say(2)} (memory.grow ${say(1)})) (i32.add (memory.size) ${say(1)}))`,
  ],
  [
    'a call to the host as an operand, beside one that can be stopped',
    `(i32.sub (call $note ${say(1)}) (i32.mul ${say(2)} (call $note (i32.const 3))))`,
  ],
  [
    'wide values beside calls',
    `
    (i32.wrap_i64 (i64.add (i64.mul (i64.extend_i32_u ${say(3)}) (i64.const 0x100000001)) (i64.shr_u (i64.extend_i32_s ${say(-7)}) (i64.extend_i32_u ${say(33)}))))`,
  ],
  [
    'floats beside calls',
    `
    (i32.trunc_f64_s (f64.sub (f64.mul (f64.convert_i32_s ${say(7)}) (f64.const 1.5)) (f64.promote_f32 (f32.div (f32.convert_i32_s ${say(1)}) (f32.convert_i32_s ${say(4)})))))`,
  ],
  ['a value dropped between two calls', `(drop (i32.add ${say(1)} ${say(2)})) ${say(3)}`],
  [
    'a global set from an operand that changes it',
    `(global.set $g (i32.add (global.get $g) ${say(5)})) (global.get $g)`,
  ],
];

const withHelpers = (body: string): string =>
  program(body).replace(
    '(func $test',
    `(func $sub (param i32 i32 i32) (result i32)
       (i32.sub (i32.sub (call $say (local.get 0)) (local.get 1)) (local.get 2)))
     (func $test`,
  );

describe.each(programs)('%s', (name, body) => {
  const subject = subjectOf(name, withHelpers(body));

  test.each(everyPolicy)('$policy', (configuration) => expectSameAtEveryPoint(subject, configuration, 4));
});
