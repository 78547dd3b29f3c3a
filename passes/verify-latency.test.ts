/** Modules with marks placed by hand or by passes, from which one mark is taken away: the cycle it covered is named. */

import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { withModule } from '../fixtures/passes/wat-module.js';
import type { Policy } from '../runtime/abi/index.js';
import { closeCycles } from './close-cycles.js';
import { CompileError } from './diagnostics.js';
import type { Expr } from './ir/binaryen.js';
import { childrenOf, setChild } from './ir/expressions.js';
import { Marker, readMark } from './ir/marks.js';
import { IrModule } from './ir/module.js';
import type { PassContext } from './pass.js';
import { allPasses } from './registry.js';
import { verifyLatency } from './verify-latency.js';

const contextOf = (module: IrModule, policies: readonly Policy[]): PassContext => ({
  module,
  marker: new Marker(module),
  options: { policies, thresholdBits: 16 },
  warnings: [],
  changed: new Set(),
});

/** What verify-latency says: the cycle, or nothing. */
function uncovered(module: IrModule): string {
  try {
    verifyLatency.run(contextOf(module, []));
    return '';
  } catch (error) {
    if (!(error instanceof CompileError) || error.diagnostic.code !== 'internal/uncovered-cycle') throw error;
    return error.diagnostic.message.replace('a cycle has no stable point: ', '');
  }
}

interface Place {
  readonly fn: string;
  readonly parent: Expr;
  readonly index: number;
  readonly mark: Expr;
}

function findMarks(module: IrModule): Place[] {
  const places: Place[] = [];
  for (const fn of module.definedFunctions()) {
    const visit = (parent: Expr): void => {
      for (const [index, child] of childrenOf(parent).entries()) {
        if (readMark(child) !== undefined) places.push({ fn: fn.name, parent, index, mark: child });
        visit(child);
      }
    };
    visit(module.body(fn));
  }
  return places;
}

/** For each mark: what is said when it is taken away. */
function withoutEach(module: IrModule): string[] {
  expect(uncovered(module)).toBe('');
  return findMarks(module).map(({ parent, index, mark }) => {
    setChild(parent, index, module.make.nop());
    const cycle = uncovered(module);
    setChild(parent, index, mark);
    return cycle;
  });
}

const imports = `(import "mvvm" "point.loop" (func $mvvm.point.loop))
  (import "mvvm" "point.branch" (func $mvvm.point.branch)) (import "mvvm" "point.entry" (func $mvvm.point.entry))`;

describe('a mark that was placed by hand and is taken away', () => {
  test.each([
    [
      'from a loop',
      '(func $f (param $n i32) (loop $l (call $mvvm.point.loop) (br_if $l (local.get $n))))',
      ['function f -> loop l'],
    ],
    [
      'from the inner and from the outer loop',
      `(func $f (param $n i32) (loop $o (call $mvvm.point.loop)
         (block $b (br_if $b (local.get $n)) (loop $i (call $mvvm.point.loop) (br_if $i (local.get $n)))) (br_if $o (local.get $n))))`,
      ['function f -> loop o', 'function f -> loop i'],
    ],
    [
      'from one of two arms',
      `(func $f (param $n i32) (loop $l
         (if (local.get $n) (then (call $mvvm.point.branch)) (else (call $mvvm.point.branch))) (br_if $l (local.get $n))))`,
      ['function f -> loop l', 'function f -> loop l'],
    ],
    ['from a recursion', '(func $f (call $mvvm.point.entry) (call $f))', ['function f -> function f']],
    [
      'from a recursion of several functions',
      '(func $a (call $b)) (func $b (call $mvvm.point.entry) (call $c)) (func $c (call $a))',
      ['function a -> function b -> function c -> function a'],
    ],
    [
      'from a recursion through a table',
      `(type $t (func)) (table 1 funcref) (elem (i32.const 0) $f)
       (func $f (type $t) (call $mvvm.point.entry) (call $g)) (func $g (call_indirect (type $t) (i32.const 0)))`,
      ['function f -> function g -> function f'],
    ],
    [
      'from a function whose entry covers the loop that calls it',
      '(func $f (param $n i32) (loop $l (call $g) (br_if $l (local.get $n)))) (func $g (call $mvvm.point.entry) (nop))',
      ['function f -> loop l'],
    ],
    [
      'where another mark covers the same loop',
      '(func $f (param $n i32) (loop $l (call $mvvm.point.loop) (call $mvvm.point.branch) (br_if $l (local.get $n))))',
      ['', ''],
    ],
  ])('%s', (_case, functions, cycles) => {
    withModule(`(module ${imports} ${functions})`, (module) => {
      expect(withoutEach(module)).toEqual(cycles);
    });
  });
});

test('a module without any mark is refused for its first loop', () => {
  withModule('(module (func $f (call $f) (loop $l (br $l))))', (module) => {
    expect(uncovered(module)).toBe('function f -> loop l');
  });
});

describe('passes place marks', () => {
  const fixtures = ['nested-loops', 'recursion-loops', 'mutual-indirect', 'loop-shapes', 'calls-everywhere'];

  test.each(fixtures)('that cover every cycle of %s, and each counted one is needed', (fixture) => {
    const module = IrModule.read(readFileSync(`fixtures/programs/${fixture}.wasm`));
    try {
      const context = contextOf(module, []);
      for (const pass of allPasses.slice(0, allPasses.indexOf(closeCycles) + 1)) {
        if (pass.flag === undefined) pass.run(context);
      }
      const marks = findMarks(module);
      expect(marks.length).toBeGreaterThan(0);
      const cycles = withoutEach(module);
      for (const [at, cycle] of cycles.entries()) expect(cycle).toContain(`function ${marks[at]?.fn}`);
    } finally {
      module.dispose();
    }
  });
});
