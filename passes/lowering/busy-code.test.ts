import { describe, expect, test } from '@jest/globals';
import { withModule } from '../../fixtures/passes/wat-module.js';
import { CallGraph } from '../ir/call-graph.js';
import { callTarget, kindOf, labelOf } from '../ir/expressions.js';
import { BusyCode } from './busy-code.js';

const loop = (name: string, code: string): string => `(loop $${name} ${code} (br_if $${name} (global.get $on)))`;
const loops = (count: number): string =>
  Array.from({ length: count }, (_, index) => loop(`loop${index}`, '')).join(' ');

/** What is busy in the first function: names of loops and callees, and the function itself as `$f`. */
function busyIn(fields: string, sizeLevel = 0): string {
  const wat = `(module (import "env" "a" (func $a)) (import "mvvm" "point.loop" (func $mvvm.point.loop)) (global $on (mut i32) (i32.const 0)) (type $t (func)) (table 1 funcref)
    ${fields})`;
  return withModule(wat, (module) => {
    const [first] = module.definedFunctions();
    if (first === undefined) throw new Error('there is no function');
    const { isFunction, expressions } = new BusyCode(module, new CallGraph(module), sizeLevel).findIn(first.name);
    const names = [...expressions].map((expr) =>
      kindOf(expr) === 'Loop' ? labelOf(expr) : `call ${callTarget(expr)}`,
    );
    return [...(isFunction ? ['$f'] : []), ...names].join(' ');
  });
}

describe('busy is', () => {
  test.each([
    ['a loop that is come to once, and what it calls', `(func $f ${loop('l', '(call $a)')} (call $a))`, 'l call a'],
    ['not what is called once', '(func $f (call $a))', ''],
    ['not one of nine loops', `(func $f ${loops(9)})`, ''],
    ['one of nine, if it is in another', `(func $f ${loop('outer', loop('inner', ''))} ${loops(7)})`, 'inner'],
    [
      'all of a function that is called in a loop',
      `(func $f (call $a)) (func $g ${loop('l', '(call $f)')})`,
      '$f call a',
    ],
    ['all of a function that calls itself in two places', '(func $f (call $f) (call $f))', '$f call f call f'],
    ['not one that calls itself in one, to do over again', '(func $f (call $f))', ''],
    [
      'all of a function that is called in a loop through a table',
      `(elem (i32.const 0) $f) (func $f (type $t) (call $mvvm.point.loop)) (func $g ${loop('l', '(call_indirect (type $t) (i32.const 0))')})`,
      '$f call mvvm.point.loop',
    ],
    [
      'what is often by what its caller is often',
      `(func $f ${loops(9)}) (func $g ${loop('l', '(call $h)')}) (func $h (call $f))`,
      Array.from({ length: 9 }, (_, index) => `loop${index}`).join(' '),
    ],
  ])('%s', (_, fields, busy) => {
    expect(busyIn(fields)).toBe(busy);
  });
});

test('a function minds calls whose code is run very often, be it by its loops or by those of its callers', () => {
  const mindsCalls = (fields: string, sizeLevel = 0): boolean =>
    withModule(`(module (global $on (mut i32) (i32.const 0)) ${fields})`, (module) =>
      new BusyCode(module, new CallGraph(module), sizeLevel).mindsCalls('f'),
    );
  const nest = (depth: number, code: string): string =>
    Array.from({ length: depth }, (_, index) => index).reduce((inner, index) => loop(`l${index}`, inner), code);
  expect(mindsCalls(`(func $f ${nest(3, '')})`)).toBe(false);
  expect(mindsCalls(`(func $f ${nest(4, '')})`)).toBe(true);
  expect(mindsCalls(`(func $f ${nest(4, '')})`, 1)).toBe(false);
  expect(mindsCalls(`(func $f ${nest(2, '')}) (func $g ${nest(2, '(call $f)')})`)).toBe(true);
});

test('nothing is busy where code shall be small', () => {
  const fields = `(func $f ${loop('l', '(call $a)')}) (func $g ${loop('m', '(call $f)')})`;
  expect(busyIn(fields)).toBe('$f l call a');
  expect(busyIn(fields, 1)).toBe('');
});
