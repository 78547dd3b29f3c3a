import { describe, expect, test } from '@jest/globals';
import { findExpression, textOf, withModule } from '../../fixtures/passes/wat-module.js';
import { CallGraph } from '../ir/call-graph.js';
import { kindOf, setChild } from '../ir/expressions.js';
import { BusyCode } from './busy-code.js';
import { addTwin, chooseTwins } from './twins.js';

const mark = '(call $mvvm.point.loop)';
/** What can be stopped while it is called. */
const stop = '(call $stop)';
/** So many loops in each other around code. */
const nest = (depth: number, code: string): string =>
  depth === 0 ? code : `(loop $l ${nest(depth - 1, code)} (br_if $l (global.get $on)))`;
const nops = (count: number): string => '(drop (i32.const 0)) '.repeat(count);

/** Most of a program is seldom run. */
const REST = 1000;
const rest = `(func $rest ${nops(REST / 2)})`;

/**
 * Names of the functions that get a twin, in the order in which they were chosen, and whether it is of their loops alone.
 * @param budget expressions of twins; without it, as many as there are
 */
function twinsOf(fields: string, budget?: number, canBeOfLoops = true): string {
  const twins = chooseFor(fields, budget, canBeOfLoops);
  return [...twins].map(([name, { hot }]) => (hot === Number.POSITIVE_INFINITY ? name : `loops of ${name}`)).join(', ');
}

function chooseFor(fields: string, budget?: number, canBeOfLoops = true): ReturnType<typeof chooseTwins> {
  const wat = `(module (import "mvvm" "point.loop" (func $mvvm.point.loop)) (tag $e) (global $on (mut i32) (i32.const 0))
    (type $t (func)) (table 1 funcref) ${fields} (func $stop ${mark}) ${rest})`;
  return withModule(wat, (module) => {
    const graph = new CallGraph(module);
    const busy = new BusyCode(module, graph);
    const total = busy.functions.reduce((sum, { size }) => sum + size, 0);
    return chooseTwins(module, graph, busy, budget === undefined ? 1 : budget / total, canBeOfLoops);
  });
}

describe('a function gets a twin', () => {
  test.each([
    ['for three loops in each other, with a point in them', `(func $f ${nest(3, mark + stop)})`, 'loops of f'],
    ['not for two', `(func $f ${nest(2, mark + stop)})`, ''],
    ['for a loop in others, whose point is in these', `(func $f ${nest(4, mark)})`, 'loops of f'],
    [
      'of all its code if it is called in two loops, and has two',
      `(func $f ${nest(2, stop)}) (func $g ${nest(2, '(call $f)')})`,
      'f',
    ],
    ['not if it is called in one', `(func $f ${nest(1, stop)}) (func $g ${nest(1, '(call $f)')})`, ''],
    [
      'whoever calls the caller',
      `(func $f ${nest(2, stop)}) (func $g ${nest(1, '(call $f)')}) (func $h ${nest(1, '(call $g)')})`,
      'f',
    ],
    [
      'if it is called so through a table',
      `(elem (i32.const 0) $f) (func $f (type $t) ${nest(2, stop)}) (func $g ${nest(2, '(call_indirect (type $t) (i32.const 0))')})`,
      'f',
    ],
    [
      'of loops alone if no frame can be above its own',
      `(func $f ${nest(2, mark)}) (func $g ${nest(3, '(call $f)')})`,
      'loops of f, loops of g',
    ],
    ['for recursion, which is as good as a loop', `(func $f ${nest(2, `${mark} (call $f)`)})`, 'f'],
    [
      'not of loops alone if it can call itself by way of another',
      `(func $f ${nest(3, mark + stop)} (call $g)) (func $g (call $f))`,
      '',
    ],
    ['not of loops alone if it has references', `(func $f (local externref) ${nest(3, mark + stop)})`, ''],
    [
      'not if it will have some in locals',
      `(func $f (drop (ref.func $f)) ${nest(3, mark + stop)}) (elem declare func $f)`,
      '',
    ],
    ['not if it cannot be stopped', `(func $f ${nest(4, nops(1))})`, ''],
    ['not if it has a try', `(func $f ${nest(3, `(try (do ${stop}) (catch_all))`)})`, ''],
    ['not if others may run in its place', `(func $f ${nest(3, mark + stop)} (return_call $stop))`, ''],
    ['not if it is large for what it does', `(func $f ${nest(3, mark + stop)} ${nops(1200)})`, ''],
    ['not if it does little beside others', `(func $f ${nest(3, mark + stop)}) (func $g ${nest(6, nops(100))})`, ''],
  ])('%s', (_, fields, twins) => {
    expect(twinsOf(fields)).toBe(twins);
  });
});

test('a twin is brief whose function is called in loops, or calls itself', () => {
  const isBrief = (fields: string): (boolean | undefined)[] =>
    ['f', 'g'].map((name) => chooseFor(fields).get(name)?.isBrief);
  expect(isBrief(`(func $f ${nest(2, stop)}) (func $g ${nest(3, '(call $f)')})`)).toEqual([true, false]);
  // Of its loops alone.
  expect(isBrief(`(func $f ${nest(2, mark)}) (func $g ${nest(3, '(call $f)')})`)).toEqual([true, false]);
  expect(isBrief(`(func $f ${nest(2, `${mark} (call $f)`)})`)).toEqual([true, undefined]);
});

describe('the budget', () => {
  const large = `(func $large ${nest(3, mark + stop)} ${nops(10)})`;
  const small = `(func $small ${nest(3, mark + stop)})`;
  const deep = `(func $deep (loop $o ${nops(50)} ${nest(3, mark + stop)} (br_if $o (global.get $on))))`;
  test('is spent first where it is worth most', () => {
    expect(twinsOf(large + small)).toBe('loops of small, loops of large');
    expect(twinsOf(large + small, 15)).toBe('loops of small');
  });

  test('goes to whoever it is enough for', () => {
    expect(twinsOf(`(func $most ${nest(4, mark + stop + nops(20))}) ${small}`)).toBe('loops of most, loops of small');
    expect(twinsOf(`(func $most ${nest(4, mark + stop + nops(20))}) ${small}`, 15)).toBe('loops of small');
  });

  test('is spent on the inner loops of a function if it is not enough for the outer ones', () => {
    expect(twinsOf(deep, 15)).toBe('loops of deep');
    expect(twinsOf(deep, 5)).toBe('');
  });

  test('is for all of a function where no twin may be of loops alone', () => {
    expect(twinsOf(`(func $f ${nest(3, mark + stop)}) (func $g ${nest(3, mark)})`, undefined, false)).toBe('f');
  });

  test('of nothing is for nobody', () => {
    expect(twinsOf(small, 0)).toBe('');
  });

  test('of more than there is serves all that can have one', () => {
    const others = `(func $once ${stop}) (func $never) (func $try (try (do ${stop}) (catch_all)))`;
    expect(twinsOf(small + others, 10 * REST)).toBe('stop, loops of small, once');
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
