import { describe, expect, test } from '@jest/globals';
import { lineariseIdle, linesOf } from '../../fixtures/passes/linear-text.js';
import { withFunction } from '../../fixtures/passes/wat-module.js';
import type { Expr } from '../ir/binaryen.js';
import { kindOf, labelOf } from '../ir/expressions.js';
import { walk } from '../ir/walk.js';
import { findLiveSlots } from './find-live-slots.js';
import { findOutside, regionOfTwin, twinLoops } from './twinned-loops.js';

interface Twin {
  /** The function, with landings. */
  readonly fn: string[];
  readonly twin: string[];
  /** Locals that are needed outside of the loops, where that is told. */
  readonly outside: number[] | undefined;
}

/** Twins the loops of a function whose names begin with "hot". */
function twin(body: string): Twin {
  const wat = `(module (import "mvvm" "point.loop" (func $mvvm.point.loop)) (global $x (mut i32) (i32.const 0))
    (func $f ${body}) (func $g (call $mvvm.point.loop)))`;
  return withFunction(wat, (module, info) => {
    const hotLoops = new Set<Expr>();
    walk(module.body(info), (expr) => {
      if (kindOf(expr) === 'Loop' && labelOf(expr)?.startsWith('hot')) hotLoops.add(expr);
    });
    const fn = lineariseIdle(module, info, hotLoops);
    const loops = twinLoops(fn);
    findLiveSlots(fn, module.localTypes(info).length);
    const { outside } = findOutside(fn, loops);
    return {
      fn: linesOf(fn.body),
      twin: linesOf(regionOfTwin(loops)),
      outside: outside === undefined ? undefined : [...outside],
    };
  });
}

const nextIf = (label: string): string => `(br_if $${label} (global.get $x))`;
const call = ['  (call $g) at call.0'];

describe('a landing', () => {
  test('is behind the loop, and in the twin the end', () => {
    expect(twin(`(loop $hot (call $g) ${nextIf('hot')}) (global.set $x (i32.const 1))`)).toMatchObject({
      fn: [
        'loop hot',
        ...call,
        '  (br_if $hot (global.get $x))',
        'landing in place of call.0',
        '(global.set $x (i32.const 1))',
        '(return)',
      ],
      twin: ['loop hot', ...call, '  (br_if $hot (global.get $x))', 'landing in place of call.0'],
    });
  });

  test('is at the end of a block that is left, in the region around', () => {
    const body = `(block $out (loop $outer (loop $hot (call $g) (call $g) ${nextIf('out')} (br $hot)) (br $outer)))`;
    const { fn, twin: inTwin } = twin(body);
    expect(fn.slice(-3)).toEqual(['end out', 'landing in place of call.0', '(return)']);
    expect(inTwin.slice(-2)).toEqual(['end out', 'landing in place of call.0']);
  });

  test('is one for all that go to the same place', () => {
    const loops = ['hot.1', 'hot.2'].map((name) => `(loop $${name} (call $g) ${nextIf('out')} (br $${name}))`);
    const { fn } = twin(`(block $out (block $one (br_if $one (global.get $x)) ${loops[0]}) ${loops[1]})`);
    expect(fn.filter((line) => line.includes('landing'))).toEqual(['landing in place of call.0']);
  });

  test('is before a loop around that goes on with its next iteration', () => {
    const { fn } = twin(`(loop $outer (loop $hot (call $g) ${nextIf('outer')} (br $hot)))`);
    expect(fn.slice(0, 3)).toEqual(['landing in place of call.0', 'loop outer', '  loop hot']);
  });

  test('is nowhere where the loop is not left', () => {
    expect(twin('(loop $hot (call $g) (br $hot))').twin).toEqual(['loop hot', ...call, '  (br $hot)']);
  });
});

test('a loop with more ways out than points is not twinned, but one inside of it may be', () => {
  const inner = `(loop $hot.inner (call $g) ${nextIf('hot.inner')})`;
  const outer = `(loop $hot ${inner} ${nextIf('one')} ${nextIf('two')} (br $hot))`;
  const { twin: inTwin } = twin(`(block $one (block $two ${outer}) (global.set $x (i32.const 1)))`);
  expect(inTwin).toEqual([
    'loop hot.inner',
    ...call,
    '  (br_if $hot.inner (global.get $x))',
    'landing in place of call.0',
  ]);
});

describe('a loop has no twin', () => {
  test.each([
    ['without points inside', `(loop $hot (call $mvvm.point.loop) ${nextIf('hot')})`],
    ['that is not hot', `(loop $idle (call $g) ${nextIf('idle')})`],
    [
      'with more ways out than points',
      `(block $one (block $two (loop $hot (call $g) ${nextIf('one')} ${nextIf('two')} (br $hot))) (global.set $x (i32.const 1)))`,
    ],
  ])('%s', (_, body) => {
    const { fn, twin: inTwin } = twin(body);
    expect(inTwin).toEqual([]);
    expect(fn.join()).not.toContain('landing');
  });
});

describe('what is needed outside of twinned loops', () => {
  const locals = (count: number): string => `(local ${'i32 '.repeat(count)})`;
  const setAll = (count: number): string =>
    Array.from({ length: count }, (_, local) => `(local.set ${local} (global.get $x))`).join(' ');
  const useAll = (count: number): string =>
    Array.from({ length: count }, (_, local) => `(global.set $x (local.get ${local}))`).join(' ');

  test('are locals that are needed at points or landings there', () => {
    const hot = `(loop $hot ${setAll(8)} (call $g) ${useAll(8)} (br_if $hot (local.get 8)))`;
    const body = `${locals(10)} (local.set 8 (global.get $x)) (local.set 9 (global.get $x)) (call $g) ${hot} ${useAll(10)}`;
    // All are needed behind the loop, where frames land.
    expect(twin(body).outside).toBeUndefined();
    expect(twin(body.replace(useAll(10), '(global.set $x (local.get 9))')).outside).toEqual([8, 9]);
  });

  test('is not told where it is nearly everything', () => {
    const hot = (count: number): string =>
      `${locals(8)} (loop $hot ${setAll(count)} (call $g) ${useAll(count)} (br $hot))`;
    expect(twin(hot(7)).outside).toBeUndefined();
    expect(twin(hot(8)).outside).toEqual([]);
  });
});
