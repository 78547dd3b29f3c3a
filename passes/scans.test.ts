/**
 * Programs that go through memory again and again. Nothing but what scans take from the counter makes them stop: without it
 * they would pass far fewer loops than a gate of 11 bits lets pass.
 */

import { describe, expect, test } from '@jest/globals';
import { compile } from '../compiler/index.js';
import { subjectOf } from '../fixtures/passes/subject.js';
import { judge } from '../fixtures/roundtrip/oracle.js';
import { runPlain } from '../fixtures/roundtrip/plain-run.js';
import { loadProgram } from '../runtime/index.js';

const ROUNDS = 12;
/** Of a text at 16, which ends with a zero. */
const LENGTH = 5000;

/** `run` makes the text, and calls `$scan` for one place of it after another. */
function program(scan: string): string {
  return `(module
    (memory (export "memory") 1)
    (func $scan (param $p i32) (param $q i32) (result i32) (local $x i32) ${scan})
    (func (export "run") (result i32)
      (local $p i32) (local $sum i32) (local $round i32)
      (memory.fill (i32.const 16) (i32.const 97) (i32.const ${LENGTH}))
      (local.set $p (i32.const 16))
      (loop $rounds
        (local.set $sum
          (i32.add (i32.mul (local.get $sum) (i32.const 31)) (call $scan (local.get $p) (i32.const ${LENGTH}))))
        (i32.store8 (i32.add (local.get $p) (i32.const 3000)) (i32.add (local.get $round) (i32.const 98)))
        (local.set $p (i32.add (local.get $p) (i32.const 7)))
        (br_if $rounds (i32.lt_u (local.tee $round (i32.add (local.get $round) (i32.const 1))) (i32.const ${ROUNDS}))))
      (local.get $sum)))`;
}

const onward = '(local.set $p (i32.add (local.get $p) (i32.const 1)))';
const sign = '(i32.load8_u (local.get $p))';
const take = `(local.set $x (i32.add (i32.mul (local.get $x) (i32.const 3)) ${sign}))`;

const programs: readonly (readonly [string, string])[] = [
  ['to the end of a text', `(loop $L ${take} ${onward} (br_if $L ${sign})) (i32.add (local.get $x) (local.get $p))`],
  [
    'down to its begin',
    `(loop $L (local.set $q (i32.sub (local.get $q) (i32.const 1))) (br_if $L (i32.load8_u (local.get $q))))
     (i32.sub (local.get $p) (local.get $q))`,
  ],
  [
    'with a return, a branch that carries a value, and a table of ways out',
    `(drop (block $out (result i32)
       (loop $L
         (if (i32.eq ${sign} (i32.const 100)) (then (return (local.get $x))))
         (drop (br_if $out (local.get $x) (i32.eq ${sign} (i32.const 102))))
         (block $on
           (block $end (br_table $on $on $end $on (i32.and (i32.sub ${sign} (i32.const 102)) (i32.const 3))))
           (return (i32.mul (local.get $x) (i32.const 5))))
         ${take} ${onward}
         (br_if $L ${sign}))
       (local.set $x (i32.mul (local.get $x) (i32.const 7)))
       (i32.const 0)))
     (local.get $x)`,
  ],
  [
    'with two cursors',
    `(local.set $q (local.get $p))
     (loop $L
       ${take}
       (local.set $x (i32.xor (local.get $x) (i32.load8_u (local.get $q))))
       (if (i32.and (local.get $x) (i32.const 8))
         (then (local.set $q (i32.add (local.get $q) (i32.const 2))))
         (else ${onward}))
       (br_if $L ${sign}))
     (i32.add (local.get $x) (local.get $q))`,
  ],
  [
    'again and again, in a loop without other points',
    `(local $start i32) (local $times i32)
     (local.set $start (local.get $p))
     (loop $again
       (local.set $p (local.get $start))
       (loop $L ${take} ${onward} (br_if $L ${sign}))
       (i32.store (i32.const 8192) (i32.add (i32.load (i32.const 8192)) (local.get $p)))
       (br_if $again (i32.lt_u (local.tee $times (i32.add (local.get $times) (i32.const 1))) (i32.const 3))))
     (i32.add (local.get $x) (i32.load (i32.const 8192)))`,
  ],
  [
    'seldom, in a loop that has much else to do',
    `(loop $times
       (block $on
         (block $go (br_table ${'$on '.repeat(30)} $go $on (i32.and (local.get $x) (i32.const 31))))
         (loop $L ${onward} (br_if $L ${sign}))
         (local.set $p (i32.sub (local.get $p) (i32.const 4000))))
       (br_if $times (i32.lt_u (local.tee $x (i32.add (local.get $x) (i32.const 1))) (i32.const 64))))
     (local.get $p)`,
  ],
];

const configurations = [
  ['', { twinBudget: 0 }],
  [', in code with twins', { twinBudget: 1000 }],
  [', in small code', { twinBudget: 0, sizeLevel: 1 }],
] as const;

/** Scans of 1 to 50 letters, in loops that are hot. */
function hotProgram(scan: string): string {
  const repeat = (name: string, times: number, code: string): string => `
    (local.set $${name} (i32.const 0))
    (loop $${name} ${code}
      (br_if $${name} (i32.lt_u (local.tee $${name} (i32.add (local.get $${name}) (i32.const 1))) (i32.const ${times}))))`;
  const square = '(i32.mul (local.get $size) (local.get $size))';
  const once = `
    (local.set $p (i32.sub (i32.const ${16 + LENGTH - 1}) ${square}))
    (local.set $n (i32.const ${LENGTH}))
    ${scan}
    (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (i32.sub (local.get $p) (local.get $n))))`;
  return `(module
    (memory (export "memory") 1)
    (func (export "run") (result i32)
      (local $p i32) (local $n i32) (local $sum i32) (local $size i32) (local $turn i32) (local $round i32)
      (memory.fill (i32.const 16) (i32.const 97) (i32.const ${LENGTH}))
      (i32.store8 (i32.const ${LENGTH}) (i32.const 98))
      ${repeat('round', 80, repeat('turn', 3, repeat('size', 8, once)))}
      (local.get $sum)))`;
}

const hotScans: readonly (readonly [string, string])[] = [
  [
    'with an end and a way out',
    `(block $out (loop $L (br_if $out (i32.eq ${sign} (i32.const 98))) ${onward} (br_if $L ${sign})))`,
  ],
  [
    'that move first',
    `(local.set $n (i32.sub (local.get $p) (i32.const 1)))
     (loop $L (local.set $n (i32.add (local.get $n) (i32.const 1))) (br_if $L (i32.load8_u (local.get $n))))`,
  ],
  [
    'that count down',
    `(block $out (loop $L
       (br_if $out (i32.eqz ${sign})) ${onward}
       (br_if $L (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))`,
  ],
  [
    'that go on by more at times',
    `(loop $L
       (local.set $p (i32.add (local.get $p) (select (i32.const 2) (i32.const 1) (i32.eq ${sign} (i32.const 98)))))
       (br_if $L ${sign}))`,
  ],
];

describe.each(hotScans)('hot scans %s', (name, scan) => {
  test.each([11, 12, 13])('are the same, stopped or not, at %s bits', async (thresholdBits) => {
    const subject = subjectOf(name, hotProgram(scan));
    const expected = await runPlain(subject);
    const { wasm } = compile(subject.wasm, { thresholdBits, optLevel: 0, twinBudget: 1000 });
    const plan = { positions: 12, continued: 3, chain: 0, steps: 100 };
    const verdict = judge(expected, await loadProgram(wasm), subject, plan);
    expect(verdict.failures).toEqual([]);
    expect(verdict.passed).toBeGreaterThanOrEqual(2 ** (14 - thresholdBits));
  });
});

describe.each(programs)('scans %s', (name, body) => {
  test.each(configurations)('are the same, stopped or not%s', async (_, options) => {
    const subject = subjectOf(name, program(body));
    const expected = await runPlain(subject);
    const { wasm } = compile(subject.wasm, { thresholdBits: 11, optLevel: 0, ...options });
    const verdict = judge(expected, await loadProgram(wasm), subject, {
      positions: 6,
      continued: 3,
      chain: 0,
      steps: 100,
    });
    expect(verdict.failures).toEqual([]);
    expect(verdict.passed).toBeGreaterThanOrEqual(ROUNDS / 2);
  });
});
