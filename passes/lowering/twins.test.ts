import { describe, expect, test } from '@jest/globals';
import { findExpression, textOf, withModule } from '../../fixtures/passes/wat-module.js';
import { CallGraph } from '../ir/call-graph.js';
import { kindOf, setChild } from '../ir/expressions.js';
import { BusyCode } from './busy-code.js';
import { addTwin, chooseTwins } from './twins.js';

const mark = '(call $mvvm.point.loop)';
/** So many loops in each other around code. */
const nest = (depth: number, code: string): string =>
  depth === 0 ? code : `(loop $l ${nest(depth - 1, code)} (br_if $l (global.get $on)))`;
const nops = (count: number): string => '(drop (i32.const 0)) '.repeat(count);

/** Names of the functions that get a twin, in the order in which they were chosen. */
function twinsOf(fields: string, share = 1): string {
  const wat = `(module (import "mvvm" "point.loop" (func $mvvm.point.loop)) (tag $e) (global $on (mut i32) (i32.const 0))
    (type $t (func)) (table 1 funcref) ${fields})`;
  return withModule(wat, (module) => {
    const graph = new CallGraph(module);
    return [...chooseTwins(module, graph, new BusyCode(module, graph), share)].join(' ');
  });
}

describe('a function gets a twin', () => {
  test.each([
    ['for three loops in each other', `(func $f ${nest(3, mark)}) (func $g ${nest(2, mark)})`, 'f'],
    ['for two, if it is called from two more', `(func $f ${nest(2, mark)}) (func $g ${nest(2, '(call $f)')})`, 'f'],
    ['not if that is from one', `(func $f ${nest(2, mark)}) (func $g ${nest(1, '(call $f)')})`, ''],
    [
      'whoever calls the caller',
      `(func $f ${nest(2, mark)}) (func $g ${nest(1, '(call $f)')}) (func $h ${nest(1, '(call $g)')})`,
      'f',
    ],
    [
      'if it is called so through a table',
      `(elem (i32.const 0) $f) (func $f (type $t) ${nest(2, mark)}) (func $g ${nest(2, '(call_indirect (type $t) (i32.const 0))')})`,
      'f',
    ],
    ['for recursion, which is as good as a loop', `(func $f ${nest(2, `${mark} (call $f)`)})`, 'f'],
    ['not if it cannot be stopped', `(func $f ${nest(4, nops(1))}) (func $g ${mark})`, ''],
    ['not if it has a try', `(func $f ${nest(3, `(try (do ${mark}) (catch_all))`)})`, ''],
    ['not if others may run in its place', `(func $f ${nest(3, mark)} (return_call $g)) (func $g ${mark})`, ''],
    ['not if it is large for what it does', `(func $f ${nest(3, mark)} ${nops(1200)})`, ''],
  ])('%s', (_, fields, twins) => {
    expect(twinsOf(fields)).toBe(twins);
  });
});

describe('the budget', () => {
  const large = `(func $large ${nest(3, mark)} ${nops(20)})`;
  const small = `(func $small ${nest(3, mark)})`;
  test('is spent first where it is worth most', () => {
    expect(twinsOf(large + small)).toBe('small large');
    expect(twinsOf(large + small, 0.5)).toBe('small');
  });

  test('goes to whoever it is enough for', () => {
    const most = `(func $most ${nest(4, mark)} ${nops(20)})`;
    expect(twinsOf(most + small)).toBe('most small');
    expect(twinsOf(most + small, 0.5)).toBe('small');
  });

  test('of nothing is for nobody', () => {
    expect(twinsOf(small, 0)).toBe('');
  });

  test('of more than there is serves all that can have one', () => {
    const others = `(func $once ${mark}) (func $never) (func $try (try (do ${mark}) (catch_all)))`;
    expect(twinsOf(small + others, 2)).toBe('small once');
  });
});

test('a twin is a copy, of which nothing is shared', () => {
  const wat =
    '(module (func $f (param $a i64) (result f32) (local $b i32) (local.set $b (i32.const 5)) (f32.const 1)))';
  withModule(wat, (module) => {
    const [original] = module.definedFunctions();
    if (original === undefined) throw new Error('there is no function');
    const before = textOf(module.body(original));
    const twin = addTwin(module, original);
    expect(twin).toMatchObject({ name: 'mvvm.twin.f', params: original.params, results: original.results });
    expect(module.localTypes(twin)).toEqual(module.localTypes(original));
    expect(textOf(module.body(twin))).toBe(before);
    const set = findExpression(module.body(twin), (expr) => kindOf(expr) === 'LocalSet');
    if (set === undefined) throw new Error('there is no assignment');
    setChild(set, 0, module.make.const(6));
    expect(textOf(module.body(twin))).not.toBe(before);
    expect(textOf(module.body(original))).toBe(before);
  });
});
