import { describe, expect, test } from '@jest/globals';
import { lineariseIdle, linesOf } from '../../fixtures/passes/linear-text.js';
import { withFunction } from '../../fixtures/passes/wat-module.js';

/**
 * The linear code of a function body, one item a line, loops indented. `$g` and `$h` can be stopped, `$p` and `$q`
 * are calls that cannot. $0 to $3 are parameters, locals from $4 on are new.
 */
function linear(body: string, result = '(result i32)'): string[] {
  const wat = `(module
    (import "mvvm" "point.loop.counted" (func $mvvm.point.loop.counted))
    (import "mvvm" "point.branch" (func $mvvm.point.branch))
    (import "env" "p" (func $p (result i32)))
    (import "env" "q" (func $q (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (type $unary (func (param i32) (result i32)))
    (memory 1)
    (global $depth (mut i32) (i32.const 0))
    (table 1 funcref)
    (elem (i32.const 0) $h)
    (tag $e)
    (func $f (param i32 i32 i32 i32) ${result} ${body})
    (func $g (result i32) (call $mvvm.point.branch) (i32.const 1))
    (func $h (param i32) (result i32) (call $mvvm.point.branch) (i32.const 1))
    (func $v (param i32 i32) (call $mvvm.point.branch)))`;
  return withFunction(wat, (module, fn) => linesOf(lineariseIdle(module, fn).body));
}

/** Without the end that every function has. */
function code(body: string): string[] {
  const lines = linear(body, '');
  expect(lines.at(-1)).toBe('(return)');
  return lines.slice(0, -1);
}

describe('operands before a stable point', () => {
  test.each([
    [
      'go to locals when they could be different behind it',
      '(drop (i32.add (i32.load (local.get 0)) (call $g)))',
      [
        '(local.set $4 (i32.load $0 (local.get $0)))',
        '$5 = (call $g) at call.0',
        '(drop (i32.add (local.get $4) (local.get $5)))',
      ],
    ],
    [
      'stay when they are constants',
      '(drop (i32.add (i32.const 7) (call $g)))',
      ['$4 = (call $g) at call.0', '(drop (i32.add (i32.const 7) (local.get $4)))'],
    ],
    [
      'stay when they read locals that nothing changes meanwhile',
      '(drop (i32.add (local.get 1) (call $g)))',
      ['$4 = (call $g) at call.0', '(drop (i32.add (local.get $1) (local.get $4)))'],
    ],
    [
      'go to locals when they read one that changes meanwhile',
      '(drop (i32.add (local.get 1) (call $h (local.tee 1 (i32.const 2)))))',
      [
        '(local.set $4 (local.get $1))',
        '(local.set $6 (local.tee $1 (i32.const 2)))',
        '$5 = (call $h (local.get $6)) at call.0',
        '(drop (i32.add (local.get $4) (local.get $5)))',
      ],
    ],
    [
      'and operands behind it stay where they are',
      '(drop (i32.add (call $g) (call $p)))',
      ['$4 = (call $g) at call.0', '(drop (i32.add (local.get $4) (call $p)))'],
    ],
    [
      'of two calls are called in order',
      '(drop (i32.sub (call $g) (call $h (call $p))))',
      [
        '$4 = (call $g) at call.0',
        '(local.set $6 (call $p))',
        '$5 = (call $h (local.get $6)) at call.1',
        '(drop (i32.sub (local.get $4) (local.get $5)))',
      ],
    ],
    [
      'of a store keep address before value',
      '(i32.store (call $p) (call $g))',
      ['(local.set $4 (call $p))', '$5 = (call $g) at call.0', '(i32.store $0 (local.get $4) (local.get $5))'],
    ],
    [
      'of select keep all three in order',
      '(drop (select (call $p) (call $q (i32.const 1)) (call $g)))',
      [
        '(local.set $4 (call $p))',
        '(local.set $5 (call $q (i32.const 1)))',
        '$6 = (call $g) at call.0',
        '(drop (select (local.get $4) (local.get $5) (local.get $6)))',
      ],
    ],
  ])('%s', (_case, body, lines) => {
    expect(code(body)).toEqual(lines);
  });
});

test('an operand that is never left ends the code', () => {
  expect(linear('(drop (i32.add (call $g) (unreachable)))', '')).toEqual([
    '$4 = (call $g) at call.0',
    '(i32.add (local.get $4) (unreachable))',
    '(unreachable)',
    '(unreachable)',
  ]);
});

describe('a call that can be stopped', () => {
  test('puts its value where it is wanted', () => {
    expect(code('(local.set 2 (call $g)) (drop (call $g)) (local.set 3 (local.tee 2 (call $g)))')).toEqual([
      '$2 = (call $g) at call.0',
      '(call $g) at call.1',
      '$4 = (call $g) at call.2',
      '(local.set $3 (local.tee $2 (local.get $4)))',
    ]);
  });

  test('keeps operands that can be evaluated again with any values', () => {
    expect(code('(call $v (i32.add (local.get 0) (i32.const 1)) (global.get $depth))')).toEqual([
      '(call $v (i32.add (local.get $0) (i32.const 1)) (global.get $depth)) at call.0',
    ]);
  });

  test.each([
    ['traps', '(i32.load (local.get 0))'],
    ['can trap', '(i32.div_u (local.get 0) (local.get 1))'],
    ['calls', '(call $p)'],
    ['sets a local', '(local.tee 0 (i32.const 1))'],
    ['grows the memory', '(memory.grow (i32.const 1))'],
  ])('has an operand that %s in a local', (_case, operand) => {
    const [set, call] = code(`(call $v ${operand} (local.get 1))`);
    expect(set).toMatch(/^\(local\.set \$4 /);
    expect(call).toBe('(call $v (local.get $4) (local.get $1)) at call.0');
  });

  test('through a table keeps its target, with what is before it', () => {
    expect(code('(drop (call_indirect (type $unary) (call $p) (call $g)))')).toEqual([
      '(local.set $4 (call $p))',
      '$5 = (call $g) at call.0',
      '(call_indirect $0 (type $func.0) (local.get $4) (local.get $5)) at call.1',
    ]);
  });

  test('to a host that can block is a point of its own kind', () => {
    expect(code('(drop (call $fd_read (i32.const 0) (i32.const 1) (i32.const 2) (i32.load (i32.const 3))))')).toEqual([
      '(local.set $4 (i32.load $0 (i32.const 3)))',
      '(call $fd_read (i32.const 0) (i32.const 1) (i32.const 2) (local.get $4)) at host.0',
    ]);
  });
});

describe('blocks and ifs', () => {
  test('without a stable point stay what they are', () => {
    const body = '(block $b (br_if $b (local.get 0)) (local.set 1 (i32.const 2)))';
    expect(code(`${body} (drop (call $g))`)).toEqual([
      '(block $b (br_if $b (local.get $0)) (local.set $1 (i32.const 2)))',
      '(call $g) at call.0',
    ]);
  });

  test('with one are dissolved, and only their ends are left', () => {
    expect(code('(block $b (br_if $b (local.get 0)) (drop (call $g)) (local.set 1 (i32.const 2)))')).toEqual([
      '(br_if $b (local.get $0))',
      '(call $g) at call.0',
      '(local.set $1 (i32.const 2))',
      'end b',
    ]);
  });

  test('an if skips its arm', () => {
    expect(code('(if (local.get 0) (then (drop (call $g))))')).toEqual([
      '(br_if $mvvm.if.1 (i32.eqz (local.get $0)))',
      '(call $g) at call.0',
      'end mvvm.if.1',
    ]);
  });

  test('an if with two arms jumps over the second', () => {
    expect(code('(if (call $g) (then (nop) (local.set 0 (i32.const 1))) (else (local.set 0 (i32.const 2))))')).toEqual([
      '$4 = (call $g) at call.0',
      '(br_if $mvvm.if.1 (i32.eqz (local.get $4)))',
      '(block (nop) (local.set $0 (i32.const 1)))',
      '(br $mvvm.if.2)',
      'end mvvm.if.1',
      '(local.set $0 (i32.const 2))',
      'end mvvm.if.2',
    ]);
  });

  test('values go through a local', () => {
    expect(linear('(if (result i32) (local.get 0) (then (call $g)) (else (i32.const 5)))')).toEqual([
      '(br_if $mvvm.if.1 (i32.eqz (local.get $0)))',
      '$4 = (call $g) at call.0',
      '(br $mvvm.if.2)',
      'end mvvm.if.1',
      '(local.set $4 (i32.const 5))',
      'end mvvm.if.2',
      '(return (local.get $4))',
      '(unreachable)',
    ]);
  });

  test('a branch leaves its value in the local of its block', () => {
    expect(linear('(block $b (result i32) (drop (call $g)) (br $b (i32.const 7)))')).toEqual([
      '(call $g) at call.0',
      expect.stringMatching(/^\(block .*\(local\.set \$4 \(i32\.const 7\)\) \(br \$b\)\)$/),
      'end b',
      '(return (local.get $4))',
      '(unreachable)',
    ]);
  });
});

describe('loops', () => {
  test('with a mark at their head have a point of their own', () => {
    expect(code('(loop $l (call $mvvm.point.loop.counted) (br_if $l (local.get 0)))')).toEqual([
      'loop l counted loop.0',
      '  (br_if $l (local.get $0))',
    ]);
  });

  test('with a mark further inside have a poll there', () => {
    expect(
      code('(loop $l (local.set 1 (i32.const 2)) (call $mvvm.point.loop.counted) (br_if $l (local.get 0)))'),
    ).toEqual(['loop l', '  (local.set $1 (i32.const 2))', '  poll counted loop.0', '  (br_if $l (local.get $0))']);
  });

  test('without a stable point inside stay expressions', () => {
    expect(code('(loop $l (br_if $l (local.get 0))) (call $mvvm.point.branch)')).toEqual([
      '(loop $l (br_if $l (local.get $0)))',
      'poll budget branch.0',
    ]);
  });

  test('that nothing branches to are no loops', () => {
    expect(code('(loop (call $mvvm.point.branch))')).toEqual(['poll budget branch.0']);
  });

  test('in loops nest', () => {
    expect(
      code(
        '(loop $o (call $mvvm.point.loop.counted) (loop $i (call $mvvm.point.loop.counted) (br_if $i (call $g))) (br_if $o (local.get 0)))',
      ),
    ).toEqual([
      'loop o counted loop.0',
      '  loop i counted loop.1',
      '    $4 = (call $g) at call.0',
      '    (br_if $i (local.get $4))',
      '  (br_if $o (local.get $0))',
    ]);
  });
});

test('a tail call is no point: nothing waits for it, only its operands are taken apart', () => {
  expect(code('(if (local.get 0) (then (return_call $v (call $g) (i32.const 2))))')).toEqual([
    '(br_if $mvvm.if.1 (i32.eqz (local.get $0)))',
    '$4 = (call $g) at call.0',
    '(return_call $v (local.get $4) (i32.const 2))',
    'end mvvm.if.1',
  ]);
});
