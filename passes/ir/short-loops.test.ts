import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import { withModule } from '../../fixtures/passes/wat-module.js';
import { kindOf, labelOf } from './expressions.js';
import { findShortLoops, uncountedIterations } from './short-loops.js';
import { walk } from './walk.js';

/** Enough for 64 iterations to go uncounted. */
const BITS = 16;

/** The labels of the loops of a function that are found to be short. */
function shortLoops(code: string, thresholdBits = BITS): string[] {
  const wat = `(module (import "x" "f" (func $f)) (memory 1) (func $run (param $n i32) (local $i i32) (local $j i32) ${code}))`;
  return withModule(wat, (module) => {
    const fn = module.definedFunctions()[0];
    if (fn === undefined) throw new Error('no function');
    const found = findShortLoops(module, fn, uncountedIterations(thresholdBits), new Map(), new Map());
    const labels: string[] = [];
    walk(module.body(fn), (expr) => {
      if (kindOf(expr) === 'Loop' && found.has(expr)) labels.push(labelOf(expr) ?? '');
    });
    return labels;
  });
}

const up = (label: string, local: string, test: string, body = '', step = 1): string =>
  `(loop $${label} ${body} (br_if $${label} (${test.replace('COUNTER', `(local.tee $${local} (i32.add (local.get $${local}) (i32.const ${step})))`)})))`;
const down = (label: string, local: string): string =>
  `(loop $${label} (br_if $${label} (local.tee $${local} (i32.sub (local.get $${local}) (i32.const 1)))))`;

// There may be a hundred thousand, each of which is looked at in its turn.
test('other functions are not looked at', () => {
  const wat = `(module (import "x" "f" (func $f)) (func $run (local $i i32) ${up('a', 'i', 'i32.ne COUNTER (i32.const 8)', '(call $f)')}))`;
  withModule(wat, (module) => {
    const [fn] = module.definedFunctions();
    if (fn === undefined) throw new Error('no function');
    const listed = jest.spyOn(module, 'functions');
    expect(findShortLoops(module, fn, uncountedIterations(BITS), new Map(), new Map()).size).toBe(1);
    expect(listed).not.toHaveBeenCalled();
  });
});

describe('short are loops', () => {
  test.each([
    ['from the zero of a variable to a constant', up('a', 'i', 'i32.ne COUNTER (i32.const 64)')],
    ['in larger steps that meet the end', up('a', 'i', 'i32.ne COUNTER (i32.const 192)', '', 4)],
    [
      'from a constant that was assigned',
      `(local.set $n (i32.const 5)) ${up('a', 'n', 'i32.ne (i32.const 9) COUNTER')}`,
    ],
    ['below a constant, wherever they begin', up('a', 'n', 'i32.lt_u COUNTER (i32.const 60)')],
    ['below a signed constant, from a number that is not negative', up('a', 'i', 'i32.lt_s COUNTER (i32.const 60)')],
    [
      'that count down a remainder that is not zero',
      `(if (local.tee $n (i32.and (local.get $n) (i32.const 7))) (then ${down('a', 'n')}))`,
    ],
    [
      'that a branch leads past if there is nothing to do',
      `(block $b (br_if $b (i32.eqz (local.tee $n (i32.rem_u (local.get $n) (i32.const 8))))) ${down('a', 'n')})`,
    ],
    [
      'whose start is one of two constants',
      `(if (local.get $n) (then (local.set $i (i32.const 3))) (else (local.set $i (i32.const 9)))) ${down('a', 'i')}`,
    ],
    ['with a way out', up('a', 'i', 'i32.ne COUNTER (i32.const 64)', '(if (i32.load (local.get $i)) (then (return)))')],
    ['with calls of imports', up('a', 'i', 'i32.ne COUNTER (i32.const 8)', '(call $f)')],
    [
      'that count from below zero',
      `(local.set $i (i32.sub (i32.and (local.get $n) (i32.const 3)) (i32.const 5))) ${up('a', 'i', 'i32.ne COUNTER (i32.const 8)')}`,
    ],
    [
      'left by a branch that leads past their test',
      `(loop $a (local.set $i (i32.add (local.get $i) (i32.const 1)))
         (block $B (br_if $B (i32.load (local.get $n))) (br_if $a (i32.ne (local.get $i) (i32.const 8)))))`,
    ],
    [
      'that begin with a byte',
      `(local.set $n (i32.shr_u (i32.load8_u (local.get $n)) (i32.const 2))) ${up('a', 'n', 'i32.ne COUNTER (i32.const 64)')}`,
    ],
  ])('%s', (_, code) => {
    expect(shortLoops(code)).toEqual(['a']);
  });

  test('whose short loops have few iterations together', () => {
    const nest = (outer: number): string =>
      up(
        'a',
        'i',
        `i32.ne COUNTER (i32.const ${outer})`,
        `(local.set $j (i32.const 0)) ${up('b', 'j', 'i32.ne COUNTER (i32.const 31)')}`,
      );
    expect(shortLoops(nest(32))).toEqual(['b', 'a']);
    expect(shortLoops(nest(33))).toEqual(['b']);
  });

  test('whose start is what a short loop around them counts', () => {
    const inner = `(local.set $j (i32.add (local.get $i) (i32.const 1))) ${up('b', 'j', 'i32.ne COUNTER (i32.const 9)')}`;
    expect(shortLoops(up('a', 'i', 'i32.ne COUNTER (i32.const 8)', inner))).toEqual(['b', 'a']);
  });

  test('of as many iterations as the gate leaves uncounted', () => {
    const loop = up('a', 'i', 'i32.ne COUNTER (i32.const 3)');
    expect([10, 11, 12, 16].map((bits) => shortLoops(loop, bits).length)).toEqual([0, 0, 1, 1]);
  });
});

describe('not short are loops', () => {
  test.each([
    ['of too many iterations', up('a', 'i', 'i32.ne COUNTER (i32.const 65)')],
    ['whose start is a parameter', up('a', 'n', 'i32.ne COUNTER (i32.const 9)')],
    [
      'that may begin with zero and count down',
      `(local.set $n (i32.and (local.get $n) (i32.const 7))) ${down('a', 'n')}`,
    ],
    ['that jump over their end', up('a', 'i', 'i32.ne COUNTER (i32.const 10)', '', 4)],
    ['that begin behind their end', `(local.set $i (i32.const 9)) ${up('a', 'i', 'i32.ne COUNTER (i32.const 9)')}`],
    ['below a signed constant, from a number that may be negative', up('a', 'n', 'i32.lt_s COUNTER (i32.const 9)')],
    ['below a constant that their step jumps over', up('a', 'n', 'i32.lt_u COUNTER (i32.const -1)', '', 4)],
    [
      'with another way to their head',
      up('a', 'i', 'i32.ne COUNTER (i32.const 9)', '(br_if $a (i32.load (i32.const 0)))'),
    ],
    [
      'whose counter changes otherwise',
      up('a', 'i', 'i32.ne COUNTER (i32.const 9)', '(if (local.get $n) (then (local.set $i (i32.const 0))))'),
    ],
    [
      'whose end changes',
      `(local.set $j (i32.const 9)) ${up('a', 'i', 'i32.ne COUNTER (local.get $j)', '(local.set $j (i32.load (i32.const 0)))')}`,
    ],
    [
      'whose start a loop around them has changed',
      `(loop $o ${up('a', 'i', 'i32.ne COUNTER (i32.const 9)')} (local.set $i (i32.load (i32.const 0))) (br_if $o (local.get $n)))`,
    ],
    [
      'that one of two ways leads to with another start',
      `(block $b (br_if $b (local.get $n)) (local.set $i (i32.load (i32.const 0)))) ${up('a', 'i', 'i32.ne COUNTER (i32.const 9)')}`,
    ],
    [
      'that a case of a table leads to with another start',
      `(block $b (block $c (local.set $i (i32.load (i32.const 0))) (br_table $b $c (local.get $n))) (local.set $i (i32.const 0)))
       ${up('a', 'i', 'i32.ne COUNTER (i32.const 9)')}`,
    ],
    [
      'with calls, whose loops would multiply',
      up('a', 'i', 'i32.ne COUNTER (i32.const 8)', '(call $run (i32.const 0))'),
    ],
    [
      'around loops with calls',
      up('a', 'i', 'i32.ne COUNTER (i32.const 8)', `(loop $b (call $run (i32.const 0)) (br_if $b (local.get $n)))`),
    ],
    [
      'below a signed constant, whose first step leads to a negative number',
      `(local.set $i (i32.shr_u (local.get $n) (i32.const 1))) ${up('a', 'i', 'i32.lt_s COUNTER (i32.const 9)')}`,
    ],
    [
      'whose step an exception can leave out',
      `(loop $a
        (try (do (call $f)) (catch_all (local.set $i (i32.add (local.get $i) (i32.const 1)))))
        (br_if $a (i32.ne (local.get $i) (i32.const 9))))`,
    ],
    ['that never end', '(loop $a (br $a))'],
  ])('%s', (_, code) => {
    expect(shortLoops(code)).toEqual([]);
  });
});

// --- Nests of two loops, which are run ---

interface Counted {
  readonly begin: string;
  readonly step: number;
  readonly test: string;
  readonly end: number;
}

const little = fc.integer({ min: -12, max: 12 });
const numberFrom = (local: string): fc.Arbitrary<string> =>
  fc.oneof(
    little.map((value) => `(i32.const ${value})`),
    fc
      .tuple(fc.constantFrom('and', 'rem_u', 'shr_u'), fc.integer({ min: 1, max: 31 }))
      .map(([op, value]) => `(i32.${op} (local.get $${local}) (i32.const ${value}))`),
    fc
      .tuple(fc.constantFrom('add', 'sub', 'mul', 'shl'), fc.integer({ min: 0, max: 5 }))
      .map(([op, value]) => `(i32.${op} (local.get $${local}) (i32.const ${value}))`),
  );
const counted = (local: string): fc.Arbitrary<Counted> =>
  fc.record({
    begin: numberFrom(local),
    step: fc.constantFrom(1, 2, 4, -1, -2, -4),
    test: fc.constantFrom('ne', 'lt_u', 'lt_s'),
    end: little,
  });
const guard = fc
  .tuple(fc.constantFrom('eq', 'ne', 'lt_u', 'le_s', 'gt_s', 'ge_u'), fc.constantFrom('i', 'j'), little)
  .map(([op, local, value]) => `(i32.${op} (local.get $${local}) (i32.const ${value}))`);

/** The functions `begin` and `turn` are called with the number of a loop. */
const run = (local: string, number: number, { begin, step, test, end }: Counted, inside: string): string =>
  `(local.set $${local} ${begin}) (call $begin (i32.const ${number}))
   (loop $l${number} (call $turn (i32.const ${number})) ${inside}
     (br_if $l${number} (i32.${test} (local.tee $${local} (i32.add (local.get $${local}) (i32.const ${step}))) (i32.const ${end}))))`;

/** The most iterations that each loop has had, and infinitely many where they do not come to an end. */
function countTurns(wasm: Uint8Array, argument: number): number[] {
  const [now, most] = [
    [0, 0],
    [0, 0],
  ];
  const begin = (loop: number): void => {
    now[loop] = 0;
  };
  const turn = (loop: number): void => {
    const turns = (now[loop] ?? 0) + 1;
    now[loop] = turns;
    most[loop] = turns > 1000 ? Number.POSITIVE_INFINITY : Math.max(most[loop] ?? 0, turns);
    if (turns > 1000) throw new RangeError('the loop does not end');
  };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(wasm)), { x: { begin, turn } });
  try {
    if (typeof exports['run'] === 'function') exports['run'](argument);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return most;
}

test('no loop that is found has more iterations', () => {
  let found = 0;
  fc.assert(
    fc.property(counted('n'), counted('i'), guard, fc.integer(), (outer, inner, condition, argument) => {
      const inside = `(block $past (br_if $past ${condition}) ${run('j', 1, inner, '')})`;
      const wat = `(module (import "x" "begin" (func $begin (param i32))) (import "x" "turn" (func $turn (param i32)))
        (func (export "run") (param $n i32) (local $i i32) (local $j i32) ${run('i', 0, outer, inside)}))`;
      withModule(wat, (module) => {
        const [fn] = module.definedFunctions();
        if (fn === undefined) throw new Error('no function');
        const short = findShortLoops(module, fn, uncountedIterations(BITS), new Map(), new Map());
        if (short.size === 0) return;
        found += short.size;
        const turns = countTurns(module.emitBinary(), argument);
        walk(module.body(fn), (expr) => {
          const bound = short.get(expr)?.iterations;
          if (bound !== undefined) expect(turns[Number(labelOf(expr)?.slice(1))]).toBeLessThanOrEqual(bound);
        });
      });
    }),
    { numRuns: 1500, seed: 1 },
  );
  expect(found).toBeGreaterThan(500);
});
