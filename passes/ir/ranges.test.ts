/** Whatever is said of a value holds for every value that the code can compute: engines are asked. */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withFunction } from '../../fixtures/passes/wat-module.js';
import type { Expr } from './binaryen.js';
import { childrenOf } from './expressions.js';
import { type Finding, learn, type Range, type Ranges, rangeOf, within } from './ranges.js';

const a = 0;
const b = 1;
const get = { a: '(local.get $a)', b: '(local.get $b)' };
const constant = (value: number): string => `(i32.const ${value})`;

/** A function of two numbers that returns what the expression computes; in its memory are the bytes from 200 up. */
const functionOf = (expression: string): string => `(module
  (memory 1) (data (i32.const 0) "\\c8\\c9\\ca\\cb\\cc\\cd\\ce\\cf")
  (func $f (export "f") (param $a i32) (param $b i32) (result i32) (local $c i32) ${expression}))`;

const rangeIn = (expr: Expr, known: Ranges): Range | undefined =>
  rangeOf(
    expr,
    known,
    childrenOf(expr).map((child) => rangeIn(child, known)),
  );

const rangeOfText = (expression: string, known: Ranges = new Map()): Range | undefined =>
  withFunction(functionOf(expression), (module, fn) => rangeIn(module.body(fn), known));
const learnFrom = (condition: string, holds: boolean, known: Ranges = new Map()): Finding[] =>
  withFunction(functionOf(condition), (module, fn) => learn(module.body(fn), holds, known));

/** The unsigned result, or undefined for a trap. */
function evaluate(expression: string, ...args: readonly number[]): number | undefined {
  const wasm = withFunction(functionOf(expression), (module) => module.emitBinary());
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(wasm)));
  const { f } = exports;
  if (typeof f !== 'function') throw new Error('there is no function');
  try {
    return Number(f(...args)) >>> 0;
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return undefined;
    throw error;
  }
}

/** Modulo 2^32. */
const holds = (range: Range | undefined, value: number): boolean =>
  range === undefined ||
  [-(2 ** 32), 0, 2 ** 32].some((turn) => range.least <= value + turn && value + turn <= range.most);

const number = fc.oneof(
  fc.integer({ min: 0, max: 40 }),
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.integer({ min: 2 ** 32 - 40, max: 2 ** 32 - 1 }),
  fc.integer({ min: 2 ** 31 - 4, max: 2 ** 31 + 4 }),
);
/** What is known of a local, and a value that it has. */
const local = fc.tuple(fc.integer({ min: -40, max: 40 }), number, number).map(([least, above, width]) => ({
  value: (least + Math.min(above, width)) >>> 0,
  range: within(least, least + width),
}));
const ranges = (...known: readonly (Range | undefined)[]): Ranges =>
  new Map(known.flatMap((range, index): [number, Range][] => (range === undefined ? [] : [[index, range]])));

const binary =
  'and or xor add sub mul shl shr_u shr_s rotl div_u rem_u div_s rem_s eq ne lt_u lt_s gt_u le_u ge_s'.split(' ');
const expression = fc.letrec<{ tree: string }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(get.a, get.b),
    number.map(constant),
    fc.tuple(fc.constantFrom(...binary), tie('tree'), tie('tree')).map(([op, x, y]) => `(i32.${op} ${x} ${y})`),
    fc.tuple(fc.constantFrom('eqz', 'clz', 'ctz', 'popcnt'), tie('tree')).map(([op, x]) => `(i32.${op} ${x})`),
    fc.constantFrom('8_u', '8_s', '16_u', '16_s', '').map((kind) => `(i32.load${kind} (i32.const 3))`),
    tie('tree').map((x) => `(local.tee $c ${x})`),
    fc.tuple(tie('tree'), tie('tree'), tie('tree')).map((parts) => `(select ${parts.join(' ')})`),
  ),
})).tree;

test('a value is within its range', () => {
  fc.assert(
    fc.property(expression, local, local, (text, first, second) => {
      const value = evaluate(text, first.value, second.value);
      const range = rangeOfText(text, ranges(first.range, second.range));
      expect(value === undefined || holds(range, value)).toBe(true);
    }),
    { numRuns: 500, seed: 1 },
  );
});

describe('the range is', () => {
  const known: Ranges = new Map([
    [a, { least: 4, most: 10 }],
    [b, { least: 2, most: 3 }],
  ]);
  test.each([
    ['of a mask', `(i32.and (i32.load (i32.const 0)) ${constant(7)})`, 0, 7],
    ['of a sum', `(i32.add ${get.a} ${get.b})`, 6, 13],
    ['of a difference', `(i32.sub ${get.a} ${get.b})`, 1, 8],
    ['of a shift to the right', `(i32.shr_u ${get.a} ${constant(1)})`, 2, 5],
    ['of a shift to the left', `(i32.shl ${get.a} ${constant(2)})`, 16, 40],
    ['of a quotient', `(i32.div_u ${get.a} ${get.b})`, 1, 5],
    ['of a remainder', `(i32.rem_u (i32.load (i32.const 0)) ${get.a})`, 0, 9],
    ['of a comparison', `(i32.lt_s ${get.a} ${get.b})`, 0, 1],
    ['of a count of bits', '(i32.popcnt (i32.load (i32.const 0)))', 0, 32],
    ['of a byte', '(i32.load8_u (i32.const 0))', 0, 255],
    ['of one of two', `(select ${get.a} ${constant(20)} (i32.load (i32.const 0)))`, 4, 20],
    ['of what is assigned', `(local.tee $c ${get.a})`, 4, 10],
    ['of a product with a constant', `(i32.mul ${get.a} ${constant(-3)})`, -30, -12],
    ['of what is less than zero', `(i32.sub ${get.b} ${get.a})`, -8, -1],
    ['of a sum with what is less than zero', `(i32.add ${get.a} ${constant(-8)})`, -4, 2],
    ['of a mask of what may be less than zero', `(i32.and (i32.sub ${get.b} ${get.a}) ${constant(7)})`, 0, 7],
    ['of a constant', constant(-1), -1, -1],
    ['of a large constant', constant(2 ** 32 - 2), -2, -2],
  ])('%s', (_, text, least, most) => {
    expect(rangeOfText(text, known)).toEqual({ least, most });
  });

  test.each([
    ['of what is everything', `(i32.sub (i32.shr_u (i32.load (i32.const 0)) ${constant(0)}) ${get.a})`],
    [
      'of a quotient of what may be less than zero',
      `(i32.mul ${get.a} (i32.div_u (i32.sub ${get.a} ${constant(5)}) ${get.b}))`,
    ],
    ['of a large product', `(i32.mul (i32.shr_u (i32.load (i32.const 0)) ${constant(1)}) ${constant(8)})`],
    ['of a signed byte', '(i32.load8_s (i32.const 0))'],
    ['of a whole word', '(i32.load (i32.const 0))'],
    ['of one of two, of one of which nothing is known', `(select ${get.a} (i32.load (i32.const 0)) ${get.b})`],
  ])('not known %s', (_, text) => {
    expect(rangeOfText(text, known)).toBeUndefined();
  });
});

const comparison = fc
  .tuple(
    fc.constantFrom('lt_u', 'le_u', 'gt_u', 'ge_u', 'eq', 'ne', 'lt_s', 'le_s', 'gt_s', 'ge_s'),
    fc.constantFrom(get.a, `(local.tee $a ${get.a})`),
    fc.oneof(number.map(constant), fc.constantFrom(get.b, `(local.tee $b ${get.b})`)),
    fc.boolean(),
  )
  .map(([op, one, other, isMirrored]) => `(i32.${op} ${isMirrored ? `${other} ${one}` : `${one} ${other}`})`);
const condition = fc
  .tuple(
    fc.oneof(comparison, fc.constantFrom(get.a, '(local.tee $a (local.get $a))')),
    fc.integer({ min: 0, max: 2 }),
    fc.constantFrom('', 'a', 'b', 'c'),
  )
  .map(([text, negations, keeper]) => {
    const whole = '(i32.eqz '.repeat(negations) + text + ')'.repeat(negations);
    return { text: keeper === '' ? whole : `(local.tee $${keeper} ${whole})`, keeper };
  });

test('what a condition says of locals is so', () => {
  fc.assert(
    fc.property(condition, local, local, ({ text, keeper }, first, second) => {
      const value = evaluate(text, first.value, second.value) ?? 0;
      const result = { value, range: within(value, value) };
      const locals = [keeper === 'a' ? result : first, keeper === 'b' ? result : second, result];
      const findings = learnFrom(text, value !== 0, ranges(...locals.map(({ range }) => range)));
      const values = locals.map((one) => one.value);
      for (const { local: index, range } of findings) expect(holds(range, values[index] ?? Number.NaN)).toBe(true);
    }),
    { numRuns: 1000, seed: 1 },
  );
});

describe('one learns', () => {
  const most = 2 ** 32 - 1;
  test.each([
    ['that it is not zero', get.a, true, { least: 1, most }],
    ['that it is zero', get.a, false, { least: 0, most: 0 }],
    ['the contrary of what is negated', `(i32.eqz ${get.a})`, true, { least: 0, most: 0 }],
    ['that it is less', `(i32.lt_u ${get.a} ${constant(9)})`, true, { least: 0, most: 8 }],
    ['that it is not less', `(i32.lt_u ${get.a} ${constant(9)})`, false, { least: 9, most }],
    ['that it is at most so much', `(i32.gt_u ${get.a} ${constant(9)})`, false, { least: 0, most: 9 }],
    ['what it is', `(i32.ne ${get.a} ${constant(9)})`, false, { least: 9, most: 9 }],
    ['what it is not', `(i32.eq ${get.a} ${constant(9)})`, false, { least: 10, most: 2 ** 32 + 8 }],
    ['that it is signed, and less', `(i32.lt_s ${get.a} ${constant(9)})`, true, { least: -(2 ** 31), most: 8 }],
    ['that more is less than it', `(i32.gt_u ${constant(9)} ${get.a})`, true, { least: 0, most: 8 }],
  ])('%s', (_, text, isSo, range) => {
    expect(learnFrom(text, isSo)).toEqual([{ local: a, range }]);
  });

  test.each([
    ['a bound', `(i32.lt_u ${get.a} ${constant(9)})`, true, { least: 4, most: 8 }],
    ['an end that it is not', `(i32.ne ${get.a} ${constant(10)})`, true, { least: 4, most: 9 }],
    ['a begin that it is not', `(i32.ne ${get.a} ${constant(4)})`, true, { least: 5, most: 10 }],
  ])('more than was known, by %s', (_, text, isSo, range) => {
    expect(learnFrom(text, isSo, ranges({ least: 4, most: 10 }))).toEqual([{ local: a, range }]);
  });

  test('of both operands', () => {
    const known = ranges({ least: 4, most: 10 }, { least: -3, most: 5 });
    const same = { least: 4, most: 5 };
    expect(learnFrom(`(i32.eq ${get.a} ${get.b})`, true, known)).toEqual([
      { local: a, range: same },
      { local: b, range: same },
    ]);
  });

  test('of what is compared, and of where the outcome is kept', () => {
    expect(learnFrom(`(local.tee $b (i32.lt_u ${get.a} ${constant(9)}))`, false)).toEqual([
      { local: b, range: { least: 0, most: 0 } },
      { local: a, range: { least: 9, most } },
    ]);
  });

  test('nothing from what a local is that keeps the outcome, and was something else before', () => {
    const known = ranges(undefined, { least: 0, most: 1 });
    expect(learnFrom(`(local.tee $b (i32.lt_u ${get.a} ${get.b}))`, true, known)).toEqual([
      { local: b, range: { least: 1, most: 1 } },
    ]);
  });

  test.each([
    ['from what it is not, among others', `(i32.eq ${get.a} ${constant(6)})`, false, ranges({ least: 4, most: 10 })],
    ['from a comparison with what is not known', `(i32.lt_u ${get.a} ${get.b})`, true, undefined],
    ['from what cannot be', `(i32.lt_u ${get.a} ${constant(0)})`, true, undefined],
    ['of a local that was assigned since', `(i32.lt_u ${get.a} (local.tee $a ${constant(9)}))`, true, undefined],
  ])('nothing new %s', (_, text, isSo, known) => {
    const findings = learnFrom(text, isSo, known);
    expect(findings).toEqual(known === undefined ? [] : [{ local: a, range: known.get(a) }]);
  });
});
