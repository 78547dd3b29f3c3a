import { describe, expect, test } from '@jest/globals';
import { findExpression, withFunction } from '../../fixtures/passes/wat-module.js';
import { labelOf } from './expressions.js';
import { Liveness } from './liveness.js';

const names = ['a', 'b', 'c', 'd'];

/** Names of the locals that are live before a function's body. */
function liveBefore(body: string, result = ''): string {
  const wat = `(module
    (table $t 1 funcref)
    (tag $e)
    (func $f (param $a i32) (param $b i32) (param $c i32) (param $d i32) ${result} ${body})
    (func $g (param i32 i32) (result i32) (unreachable))
    (func $h))`;
  return withFunction(wat, (module, fn) => {
    const liveness = new Liveness(names.length);
    let before = liveness.none();
    liveness.solve(() => {
      before = liveness.none();
      liveness.before(module.body(fn), before);
    });
    return [...before].map((local) => names[local]).join(' ');
  });
}

describe('a local is live', () => {
  test.each([
    ['where it is read', '(drop (local.get $a))', 'a'],
    ['where it is read before it is set', '(drop (local.get $a)) (local.set $a (i32.const 1))', 'a'],
    ['not where it is set before it is read', '(local.set $a (i32.const 1)) (drop (local.get $a))', ''],
    ['where it is set to what is computed from it', '(local.set $a (i32.eqz (local.get $a)))', 'a'],
    ['if it is an earlier operand', '(drop (i32.add (local.get $a) (local.tee $a (i32.const 1))))', 'a'],
    ['not if it is a later operand', '(drop (i32.add (local.tee $a (i32.const 1)) (local.get $a)))', ''],
    ['if a call has it for an earlier operand', '(drop (call $g (local.get $a) (local.tee $a (local.get $b))))', 'a b'],
    ['where a store has it for its address', '(if (local.get $a) (then (local.set $b (local.get $c))))', 'a c'],
  ])('%s', (_case, body, live) => {
    expect(liveBefore(body)).toBe(live);
  });
});

describe('ways through code', () => {
  test.each([
    [
      'an if whose arms both set it makes it dead',
      '(if (local.get $d) (then (local.set $a (i32.const 1))) (else (local.set $a (i32.const 2)))) (drop (local.get $a))',
      'd',
    ],
    [
      'an if with one arm that sets it leaves it live',
      '(if (local.get $d) (then (local.set $a (i32.const 1)))) (drop (local.get $a))',
      'a d',
    ],
    [
      'an if with an arm that does not set it leaves it live',
      '(if (local.get $d) (then (local.set $a (i32.const 1))) (else (nop))) (drop (local.get $a))',
      'a d',
    ],
    [
      'a branch out of a block skips what sets it',
      '(block $out (br_if $out (local.get $d)) (local.set $a (i32.const 1))) (drop (local.get $a))',
      'a d',
    ],
    [
      'a branch that is always taken skips what reads it',
      '(block $out (br $out) (drop (local.get $b))) (drop (local.get $a))',
      'a',
    ],
    [
      'an inner block can be left by the label of the outer one',
      '(block $out (block $in (br_if $out (local.get $d)) (local.set $a (i32.const 1))) (drop (local.get $b))) (drop (local.get $a))',
      'a b d',
    ],
    [
      'a br_table takes what is live at each of its targets',
      '(block $x (block $y (block $z (br_table $x $y $z (local.get $d))) (drop (local.get $a)) (return)) (drop (local.get $b)) (return)) (drop (local.get $c))',
      'a b c d',
    ],
    [
      'a br_table sees nothing behind itself',
      '(block $x (br_table $x $x (local.get $d)) (drop (local.get $a))) (drop (local.get $c))',
      'c d',
    ],
    ['nothing is live across return', '(return) (drop (local.get $a))', ''],
    ['nothing is live across unreachable', '(unreachable) (drop (local.get $a))', ''],
    ['nothing is live across a tail call', '(if (local.get $d) (then (return_call $h))) (drop (local.get $a))', 'a d'],
  ])('%s', (_case, body, live) => {
    expect(liveBefore(body)).toBe(live);
  });

  test('the value of a branch is read before it is taken', () => {
    const body = '(block $out (result i32) (br_if $out (local.get $a) (local.get $b)) (drop) (local.get $c))';
    expect(liveBefore(body, '(result i32)')).toBe('a b c');
  });
});

describe('loops', () => {
  test.each([
    ['what the next iteration reads is live', '(loop $l (drop (local.get $a)) (br $l))', 'a'],
    [
      'what the next iteration reads at its end only is live, if it is not set before',
      '(loop $l (if (local.get $d) (then (br $l))) (drop (local.get $a)))',
      'a d',
    ],
    ['what is set at the head is dead', '(loop $l (local.set $a (i32.const 1)) (br_if $l (local.get $a)))', ''],
    [
      'what is set behind the branch back and read behind the loop stays live on the way round',
      '(loop $l (br_if $l (local.get $d)) (local.set $b (local.get $a)))',
      'a d',
    ],
    [
      'an inner loop hands on what the outer one reads in its next iteration',
      '(loop $out (drop (local.get $a)) (loop $in (br_if $in (local.get $c)) (br_if $out (local.get $d))))',
      'a c d',
    ],
    [
      'values that wander from local to local, one each round, are all found',
      '(loop $l (drop (local.get $a)) (local.set $a (local.get $b)) (local.set $b (local.get $c)) (br_if $l (local.get $d)))',
      'a b c d',
    ],
    ['a loop that nothing branches to is passed once', '(loop (local.set $a (i32.const 1))) (drop (local.get $a))', ''],
    [
      'a loop that is left by a branch to a block around it',
      '(block $out (loop $l (br_if $out (local.get $d)) (local.set $a (i32.const 1)) (br $l))) (drop (local.get $a))',
      'a d',
    ],
  ])('%s', (_case, body, live) => {
    expect(liveBefore(body)).toBe(live);
  });
});

describe('what it cannot look into', () => {
  test('a try reads every local that it mentions, and what is live where it branches to', () => {
    const body =
      '(block $out (try (do (local.set $a (local.get $b)) (br $out)) (catch $e (drop (local.get $a))))) (drop (local.get $c))';
    expect(liveBefore(body)).toBe('a b c');
  });

  test('a table operation reads its operands, also inside a try', () => {
    const copy = '(table.copy $t $t (local.get $a) (local.get $b) (i32.const 1))';
    expect(liveBefore(copy)).toBe('a b');
    expect(liveBefore(`(try (do ${copy}) (catch_all))`)).toBe('a b');
  });
});

describe('behind a loop is live', () => {
  const behind = (body: string): string =>
    withFunction(
      `(module (func $f (param $a i32) (param $b i32) (param $c i32) (param $d i32) ${body}))`,
      (module, fn) => {
        const loop = findExpression(module.body(fn), (expr) => labelOf(expr) === 'L');
        const found = loop && Liveness.findLiveBehind(module.body(fn), names.length, [loop]).get(loop);
        return [...(found ?? [])].map((local) => names[local]).join(' ');
      },
    );

  test.each([
    ['what is read there', '(loop $L (drop (local.get $a)) (br_if $L (local.get $b))) (drop (local.get $c))', 'c'],
    [
      'what is read where a branch goes that leaves it',
      `(block $out (loop $L (br_if $out (local.get $a)) (br_if $L (local.get $b))) (drop (local.get $c)) (return))
       (drop (local.get $d))`,
      'c d',
    ],
    [
      'what a loop around it needs next time',
      `(loop $O (drop (local.get $a)) (local.set $b (i32.const 1)) (loop $L (br_if $L (local.get $b)))
         (br_if $O (local.get $c)))`,
      'a c',
    ],
  ])('%s', (_, body, live) => {
    expect(behind(body)).toBe(live);
  });
});
