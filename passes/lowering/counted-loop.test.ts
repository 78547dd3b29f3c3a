/**
 * Counted loops run in strips without a poll inside. What can be seen of that from outside is nothing: a poll comes at
 * the same iteration, whatever was granted.
 */

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withModule } from '../../fixtures/passes/wat-module.js';
import { type Policy, policies } from '../../runtime/abi/index.js';
import { instrument } from '../pipeline.js';

type Test = 'ne' | 'lt_s' | 'lt_u';
interface Shape {
  readonly test: Test;
  readonly step: number;
}

/** More iterations than a test looks at: a loop that is not asked any more is ended by a trap. */
const TOO_MANY = 3000;
const ENOUGH = 300;

/** `i = start; do { n += 1; i += step } while (i <test> end)` */
function makeLoop({ test, step }: Shape, policy: Policy, thresholdBits: number): WebAssembly.Module {
  const wat = `(module
    (global $n (export "n") (mut i32) (i32.const 0))
    (func (export "run") (param $i i32) (param $end i32) (result i32)
      (loop $l
        (global.set $n (i32.add (global.get $n) (i32.const 1)))
        (if (i32.gt_u (global.get $n) (i32.const ${TOO_MANY})) (then (unreachable)))
        (br_if $l (i32.${test} (local.tee $i (i32.add (local.get $i) (i32.const ${step}))) (local.get $end))))
      (local.get $i)))`;
  return withModule(wat, (module) => {
    instrument(module, { policies: [policy], thresholdBits });
    expect(module.emitText()).toContain('(loop $mvvm.again');
    return new WebAssembly.Module(Uint8Array.from(module.emitBinary()));
  });
}

/** How many iterations the loop has, up to a limit. */
function countIterations({ test, step }: Shape, start: number, end: number, limit: number): number {
  let i = start | 0;
  for (let count = 1; count < limit; count++) {
    i = (i + step) | 0;
    const goesOn = test === 'ne' ? i !== (end | 0) : test === 'lt_s' ? i < (end | 0) : i >>> 0 < end >>> 0;
    if (!goesOn) return count;
  }
  return limit;
}

interface Run {
  /** How many iterations were complete at each poll. */
  readonly polls: number[];
  readonly iterations: number;
  readonly stopped: boolean;
}

/** Runs a loop with these grants, the last one again and again, until it ends or has had enough iterations. */
function run(loop: WebAssembly.Module, start: number, end: number, grants: readonly number[]): Run {
  const polls: number[] = [];
  let stopped = false;
  let next = 0;
  const grant = (): number => grants[Math.min(next++, grants.length - 1)] ?? 1;
  const iterations = (): number => (exports['n'] instanceof WebAssembly.Global ? Number(exports['n'].value) : -1);
  const poll = (): number => {
    polls.push(iterations());
    if (iterations() < ENOUGH) return grant();
    stopped = true;
    return 0;
  };
  const imports = { mvvm: { poll, push: () => undefined, pop: () => 0 } };
  const { exports } = new WebAssembly.Instance(loop, imports);
  const call = (name: string, ...args: number[]): void => {
    const callee = exports[name];
    if (typeof callee === 'function') callee(...args);
  };
  call('mvvm.set_budget', grant());
  call('run', start, end);
  return { polls, iterations: iterations(), stopped };
}

const tests: readonly Test[] = ['ne', 'lt_s', 'lt_u'];
const shapes: readonly Shape[] = [
  ...tests.flatMap((test) => [1, 2, 8, 256, 2 ** 17, 2 ** 29].map((step): Shape => ({ test, step }))),
  ...[-1, -4, -(2 ** 20)].map((step): Shape => ({ test: 'ne', step })),
];

/** Near each other, near the borders of both ranges, or anywhere. */
const bound = fc.oneof(
  fc.integer({ min: -40, max: 40 }),
  fc.integer({ min: -40, max: 40 }).map((n) => (n + 0x80000000) | 0),
  fc.integer(),
);

describe.each(shapes)('a loop that goes on by $step while $test', (shape) => {
  test('polls at each point where the budget is used up', () => {
    const loop = makeLoop(shape, 'loop-checkpoint', 16);
    fc.assert(
      fc.property(
        bound,
        bound,
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 }),
        (start, end, grants) => {
          const total = countIterations(shape, start, end, ENOUGH * 2);
          const { polls, iterations, stopped } = run(loop, start, end, grants);
          // The n-th point is where the n-th iteration ends, if another follows.
          const expected: number[] = [];
          let passed = 0;
          for (let n = 0; ; n++) {
            passed += grants[Math.min(n, grants.length - 1)] ?? 1;
            if (passed >= total) break;
            expected.push(passed);
            if (passed >= ENOUGH) break;
          }
          expect(polls).toEqual(expected);
          expect(stopped).toBe((expected.at(-1) ?? 0) >= ENOUGH);
          if (!stopped) expect(iterations).toBe(total);
        },
      ),
      { numRuns: 60, seed: 1 },
    );
  });

  test('polls once in as many iterations as the threshold says', () => {
    const loop = makeLoop(shape, 'counter-loop-checkpoint', 5);
    fc.assert(
      fc.property(bound, bound, (start, end) => {
        const total = countIterations(shape, start, end, ENOUGH * 2);
        const { polls } = run(loop, start, end, [1000]);
        const ends = Math.min(total - 1, Math.ceil(ENOUGH / 32) * 32);
        expect(polls).toEqual(Array.from({ length: Math.floor(ends / 32) }, (_, n) => 32 * (n + 1)));
      }),
      { numRuns: 60, seed: 1 },
    );
  });

  test('is asked again however much was granted, if it never ends', () => {
    // An end that the steps jump over: `i != end` stays true, `i < end` wraps around.
    const [start, end] = shape.test === 'ne' ? [0, 1] : [0, shape.test === 'lt_s' ? 0x7fffffff : -1];
    const total = countIterations(shape, start, end, ENOUGH * 2);
    const { stopped, polls } = run(makeLoop(shape, 'counter-loop-checkpoint', 8), start, end, [1000]);
    expect(stopped).toBe(total > 512);
    expect(polls.length).toBe(total > 512 ? 2 : 0);
  });
});

test.each([
  ['ne', 1, true],
  ['ne', 4, true],
  ['ne', 256, true],
  ['ne', -8, true],
  ['lt_s', 1, true],
  ['lt_u', 1, true],
  ['ne', 3, false],
  ['ne', 512, false],
  ['lt_s', 2, false],
  ['lt_u', -1, false],
] as const)('a loop that goes on while %s by %i: strips are %s', (comparison, step, expected) => {
  const wat = `(module (func (export "run") (param $i i32) (param $end i32)
    (loop $l (br_if $l (i32.${comparison} (local.tee $i (i32.add (local.get $i) (i32.const ${step}))) (local.get $end))))))`;
  withModule(wat, (module) => {
    instrument(module, { policies: ['counter-loop-checkpoint'], thresholdBits: 16 });
    // Strips end where a product says.
    expect(module.emitText().includes('i32.mul')).toBe(expected);
  });
});

test.each(policies)('a loop that is left elsewhere or changes its end is no counted loop under %s', (policy) => {
  const bodies = [
    '(br_if $out (local.get $x)) (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $end)))',
    '(local.set $end (local.get $x)) (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $end)))',
    '(if (local.get $x) (then (local.set $i (i32.add (local.get $i) (i32.const 1))))) (br_if $l (i32.ne (local.get $i) (local.get $end)))',
    '(if (local.get $x) (then (br $l))) (br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $end)))',
    '(br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 3))) (local.get $end)))',
    '(br_if $l (i32.ne (local.tee $i (i32.add (local.get $i) (local.get $x))) (local.get $end)))',
    '(local.set $i (i32.add (local.get $i) (i32.const 1))) (local.set $i (i32.add (local.get $i) (i32.const 1))) (br_if $l (i32.ne (local.get $i) (local.get $end)))',
    '(br_if $l (i32.lt_s (local.tee $i (i32.sub (local.get $i) (i32.const 1))) (local.get $end)))',
  ];
  for (const body of bodies) {
    const wat = `(module (func (export "run") (param $i i32) (param $end i32) (param $x i32) (block $out (loop $l ${body}))))`;
    withModule(wat, (module) => {
      instrument(module, { policies: [policy], thresholdBits: 16 });
      expect(module.emitText()).not.toContain('i32.mul');
    });
  }
});
