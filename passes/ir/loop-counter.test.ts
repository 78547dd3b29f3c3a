import { describe, expect, test } from '@jest/globals';
import { findExpression, textOf, withFunction } from '../../fixtures/passes/wat-module.js';
import { childrenOf, kindOf } from './expressions.js';
import { readLoopCounter } from './loop-counter.js';

/** What is read of the loop `$L` of a function with the locals `$i`, `$j` and `$end`, the latter two with their numbers. */
function counterOf(loop: string, isStep?: (step: number) => boolean): unknown {
  const wat = `(module (import "x" "f" (func $f)) (tag $e)
    (func $g (param $i i32) (param $j i32) (param $end i32) (param $long i64) ${loop}))`;
  return withFunction(wat, (module, fn) => {
    const found = findExpression(module.body(fn), (expr) => kindOf(expr) === 'Loop');
    if (found === undefined) throw new Error('there is no loop');
    const read = readLoopCounter('L', childrenOf(found), isStep);
    if (read === undefined) return undefined;
    const { counter, step, test, end, backEdge, condition } = read;
    // The parts belong together.
    expect(kindOf(backEdge)).toBe('Break');
    expect(childrenOf(backEdge)).toEqual([condition]);
    if (end !== undefined) expect(childrenOf(condition)[end.operand]).toBe(end.value);
    return { counter: 'ij'[counter], step, test, end: end && textOf(end.value) };
  });
}

const get = (name: string): string => `(local.get $${name})`;
const add = (name: string, step: number): string => `(i32.add ${get(name)} (i32.const ${step}))`;
const next = (name = 'i', step = 1): string => `(local.tee $${name} ${add(name, step)})`;
const loopWhile = (condition: string, body = ''): string => `(loop $L ${body} (br_if $L ${condition}))`;
const $end = '(local.get $2)';

const step = `(local.set $i ${add('i', 1)})`;

describe('the counter is read', () => {
  test.each([
    ['up to a local', loopWhile(`(i32.ne ${next()} ${get('end')})`), 1, 'not-equal', $end],
    ['in larger steps', loopWhile(`(i32.ne ${next('i', 12)} ${get('end')})`), 12, 'not-equal', $end],
    ['up to a constant', loopWhile(`(i32.lt_u ${next()} (i32.const 9))`), 1, 'less-unsigned', '(i32.const 9)'],
    ['signed', loopWhile(`(i32.lt_s ${next()} ${get('end')})`), 1, 'less-signed', $end],
    ['with the end in front', loopWhile(`(i32.gt_s ${get('end')} ${next()})`), 1, 'less-signed', $end],
    ['with the unsigned end in front', loopWhile(`(i32.gt_u ${get('end')} ${next()})`), 1, 'less-unsigned', $end],
    ['down to zero', loopWhile('(local.tee $i (i32.sub (local.get $i) (i32.const 1)))'), -1, 'not-equal', undefined],
    [
      'assigned before the test',
      loopWhile(`(i32.ne ${get('i')} ${get('end')})`, `(local.set $i ${add('i', 3)})`),
      3,
      'not-equal',
      $end,
    ],
    [
      'assigned in the condition of an if',
      loopWhile(get('i'), `(if ${next()} (then (call $f)))`),
      1,
      'not-equal',
      undefined,
    ],
    ['with other ways out', `(block $B ${loopWhile(get('i'), `(br_if $B ${next()})`)})`, 1, 'not-equal', undefined],
    [
      'with a branch that leads past the test',
      `(loop $L ${step} (block $B (br_if $B ${get('j')}) (br_if $L (i32.ne ${get('i')} ${get('end')}))))`,
      1,
      'not-equal',
      $end,
    ],
    [
      'kept in another local before it counts',
      loopWhile(get('i'), `(local.set $i (i32.add (local.tee $j ${get('i')}) (i32.const 3)))`),
      3,
      'not-equal',
      undefined,
    ],
    [
      'with a step that is a difference of the least number',
      loopWhile('(local.tee $i (i32.sub (local.get $i) (i32.const 0x80000000)))'),
      -(2 ** 31),
      'not-equal',
      undefined,
    ],
  ])('%s', (_, loop, step, kind, end) => {
    expect(counterOf(loop)).toEqual({ counter: 'i', step, test: kind, end });
  });

  const two = loopWhile(`(i32.ne ${get('i')} ${get('j')})`, `(local.set $i ${add('i', 3)})`);
  test('of two locals it is the one that counts', () => {
    expect(counterOf(two)).toMatchObject({ counter: 'i', step: 3 });
    expect(counterOf(two.replaceAll('$i', '$x').replaceAll('$j', '$i').replaceAll('$x', '$j'))).toMatchObject({
      counter: 'j',
      end: '(local.get $0)',
    });
  });

  test('if its step will do', () => {
    expect(counterOf(two, (step) => step === 3)).toBeDefined();
    expect(counterOf(two, (step) => step !== 3)).toBeUndefined();
  });
});

describe('nothing is read of a loop', () => {
  const test1 = `(i32.ne ${get('i')} ${get('end')})`;
  test.each([
    ['that is not repeated', `(loop $L ${step})`],
    ['that never ends', `(loop $L ${step} (br $L))`],
    ['whose last branch leads elsewhere', `(block $B (loop $L ${step} (br_if $B ${test1})))`],
    ['with another way to its head', loopWhile(test1, `${step} (br_if $L ${get('j')})`)],
    ['with a table that leads to its head', loopWhile(test1, `${step} (block $B (br_table $L $B ${get('j')}))`)],
    ['with code behind the test', `(loop $L ${step} (br_if $L ${test1}) (call $f))`],
    ['that tests for the end', loopWhile(`(i32.eq ${next()} ${get('end')})`)],
    ['that tests for more', loopWhile(`(i32.gt_s ${next()} ${get('end')})`)],
    ['whose end is computed', loopWhile(`(i32.ne ${next()} ${add('end', 1)})`)],
    ['whose end changes', loopWhile(test1, `${step} (local.set $end (i32.const 9))`)],
    ['that counts twice', loopWhile(test1, `${step} ${step}`)],
    ['that does not count', loopWhile(test1)],
    ['that counts at times', loopWhile(test1, `(if ${get('j')} (then ${step}))`)],
    ['that counts in a loop inside', loopWhile(test1, `(loop $M ${step} (br_if $M ${get('j')}))`)],
    ['that counts in a block that may be left', loopWhile(test1, `(block $B (br_if $B ${get('j')}) ${step})`)],
    ['that counts where an exception may leave it out', loopWhile(test1, `(try (do (call $f) ${step}) (catch_all))`)],
    ['that sets the counter to something else', loopWhile(test1, `(local.set $i ${add('j', 1)})`)],
    ['whose step is a local', loopWhile(test1, `(local.set $i (i32.add ${get('i')} ${get('j')}))`)],
    ['whose counter is a factor', loopWhile(test1, `(local.set $i (i32.mul ${get('i')} (i32.const 2)))`)],
    [
      'that counts in 64 bits',
      loopWhile(`(i64.ne (local.tee $long (i64.add ${get('long')} (i64.const 1))) (i64.const 9))`),
    ],
  ])('%s', (_, loop) => {
    expect(counterOf(loop)).toBeUndefined();
  });
});
