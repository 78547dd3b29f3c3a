/**
 * References in locals, operands, globals, tables, parameters and results. Each program is compared with itself: compiled
 * under every policy, undisturbed, and stopped and restored at each of its stable points.
 */

import { describe, expect, test } from '@jest/globals';
import { compile } from '../compiler/index.js';
import { everyPolicy, expectSameAtEveryPoint } from '../fixtures/passes/every-policy.js';
import { noteImport, say, sayFunction } from '../fixtures/passes/say.js';
import { subjectOf } from '../fixtures/passes/subject.js';
import { load, store } from '../fixtures/roundtrip/stored.js';
import { tierUpEvery } from '../fixtures/roundtrip/tier-up-every.js';
import { loadProgram, restoreGuest, startGuest } from '../runtime/index.js';

/** A program that runs `body` with local $x = 3 and returns what it leaves. */
function program(body: string): string {
  return `(module
    ${noteImport}
    (type $unary (func (param i32) (result i32)))
    (memory (export "memory") 1)
    (table $t 4 8 funcref)
    (table $refs 3 externref)
    (table $call 1 1 funcref)
    (elem (table $t) (i32.const 0) func $say $double)
    (elem declare func $half $quarter)
    (global $f (mut funcref) (ref.null func))
    (global $e (mut externref) (ref.null extern))
    ${sayFunction()}
    (func $double (param $n i32) (result i32) (i32.mul (call $say (local.get $n)) (i32.const 2)))
    (func $half (param $n i32) (result i32) (i32.div_u (call $say (local.get $n)) (i32.const 2)))
    (func $quarter (param $n i32) (result i32) (i32.div_u (call $say (local.get $n)) (i32.const 4)))
    (func $apply (param $fn funcref) (param $n i32) (result i32)
      (drop (call $say (i32.const 1)))
      (table.set $call (i32.const 0) (local.get $fn))
      (call_indirect $call (type $unary) (local.get $n) (i32.const 0)))
    (func $choose (param $n i32) (result funcref)
      (if (call $say (local.get $n)) (then (return (ref.func $half))))
      (ref.func $double))
    (func $both (param $n i32) (result i32 funcref)
      (block $b (result i32 funcref) (br_if $b (tuple.make 2 (i32.const 7) (ref.func $half)) (local.get $n))))
    (func $pair (result funcref externref i32)
      (drop (call $say (i32.const 2)))
      (ref.func $half) (ref.null extern) (i32.const 5))
    (func $test (param $x i32) (result i32) (local $r funcref) (local $h externref) ${body})
    (func (export "run") (result i32) (call $test (i32.const 3))))`;
}

const programs: readonly (readonly [string, string])[] = [
  ['a function in a local', `(local.set $r (ref.func $half)) (call $apply (local.get $r) ${say(8)})`],
  [
    'null in a local',
    `(drop ${say(1)}) (i32.add (ref.is_null (local.get $r)) (i32.mul (ref.is_null (local.get $h)) ${say(2)}))`,
  ],
  ['a function as an operand before a call', `(call $apply (ref.func $double) ${say(4)})`],
  [
    'a function that a call returned, as an operand',
    `(call $apply (call $choose (i32.const 0)) (call $apply (call $choose (i32.const 1)) ${say(20)}))`,
  ],
  [
    'references among several results',
    `(local $i i32)
    (call $pair) (local.set $i) (local.set $h) (local.set $r)
    (i32.add (call $apply (local.get $r) ${say(6)}) (i32.add (local.get $i) (ref.is_null (local.get $h))))`,
  ],
  [
    'a function carried by a branch and chosen by select',
    `(call $apply
      (block $b (result funcref) (drop (br_if $b (ref.func $half) ${say(0)})) (select (result funcref) (ref.func $double) (ref.null func) ${say(1)}))
      ${say(9)})`,
  ],
  [
    'globals',
    `(global.set $f (ref.func $half)) (drop ${say(1)}) (local.set $x (call $apply (global.get $f) ${say(12)}))
    (global.set $f (ref.null func)) (drop ${say(1)}) (i32.add (local.get $x) (ref.is_null (global.get $f)))`,
  ],
  [
    'several tables that change',
    `(table.set $t (i32.const 2) (ref.func $half))
    (drop ${say(1)})
    (drop (table.grow $t (ref.func $double) (i32.const 2)))
    (drop ${say(1)})
    (table.set $t (i32.const 0) (ref.null func))
    (i32.add
      (i32.add (call_indirect $t (type $unary) ${say(10)} (i32.const 2)) (call_indirect $t (type $unary) ${say(10)} (i32.const 5)))
      (i32.add (table.size $t) (i32.add (ref.is_null (table.get $t (i32.const 0))) (ref.is_null (table.get $refs (i32.const 1))))))`,
  ],
  [
    'a function in a value of several parts that a branch carries out of a function',
    `(local $p (tuple i32 funcref))
    (local.set $p (call $both ${say(0)}))
    (i32.add (tuple.extract 2 0 (local.get $p)) (call $apply (tuple.extract 2 1 (local.get $p)) ${say(8)}))`,
  ],
  [
    'a function in a value of several parts, where a table is filled and copied',
    `(local $p (tuple i32 funcref))
    (table.fill $t (local.get $x) (ref.func $quarter) (i32.const 1))
    (local.set $p
      (block $b (result i32 funcref) (br_if $b (tuple.make 2 (i32.const 1) (ref.func $half)) ${say(0)})))
    (table.copy $t $t (tuple.extract 2 0 (local.get $p)) ${say(3)} (i32.const 1))
    (i32.add (call_indirect $t (type $unary) ${say(40)} (i32.const 1)) (call $apply (tuple.extract 2 1 (local.get $p)) ${say(8)}))`,
  ],
  [
    'a function that is in the program as the filling of a table alone',
    `(table.fill $t (i32.const 1) (ref.func $quarter) (i32.const 3))
    (drop ${say(1)})
    (call_indirect $t (type $unary) ${say(12)} (i32.const 3))`,
  ],
  [
    'a loop that swaps functions',
    `(local $other funcref) (local $swap funcref) (local $sum i32)
    (local.set $r (ref.func $half)) (local.set $other (ref.func $double))
    (loop $l
      (local.set $sum (i32.add (local.get $sum) (call $apply (local.get $r) (i32.const 10))))
      (local.set $swap (local.get $r)) (local.set $r (local.get $other)) (local.set $other (local.get $swap))
      (br_if $l (local.tee $x (i32.sub (local.get $x) (i32.const 1)))))
    (local.get $sum)`,
  ],
];

describe.each(programs)('%s', (name, body) => {
  const subject = subjectOf(name, program(body));

  test.each(everyPolicy)('$policy', (configuration) => expectSameAtEveryPoint(subject, configuration, 6));

  // The optimiser knows of each reference to a function which function that is, and gives locals types to match.
  test('optimised, every-checkpoint', () =>
    expectSameAtEveryPoint(subject, { policy: 'every-checkpoint', thresholdBits: 16 }, 6, 3));
});

describe('a reference of the host', () => {
  const { wasm } = subjectOf(
    'host',
    `(module
      (import "env" "make" (func $make (result externref)))
      (import "env" "read" (func $read (param externref) (result i32)))
      (table (export "things") 2 externref)
      (global $g (mut externref) (ref.null extern))
      (func $work (param $n i32)
        (loop $l (br_if $l (i32.ge_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0)))))
      (func (export "in_local") (result i32)
        (local $r externref)
        (call $work (i32.const 1))
        (local.set $r (call $make))
        (call $work (i32.const 2))
        (call $work (call $read (local.get $r)))
        (i32.const 7))
      (func (export "in_global") (result i32)
        (global.set $g (call $make)) (call $work (i32.const 2)) (call $read (global.get $g)))
      (func (export "in_table") (result i32)
        (table.set (i32.const 1) (call $make)) (call $work (i32.const 2)) (call $read (table.get (i32.const 1)))))`,
  );
  const compiled = loadProgram(compile(wasm, { policies: ['loop-checkpoint'], optLevel: 0 }).wasm);
  const thing = { size: 2 };
  const imports = {
    env: { make: (): unknown => thing, read: (value: unknown): number => (value === thing ? 2 : 1000) },
  };

  test('is refused while it is needed; the program goes on with it', async () => {
    const program = await compiled;
    const outcomes: string[] = [];
    for (let point = 1; point <= 5; point++) {
      const reasons: string[] = [];
      const options = { imports, onRefused: (reason: string): void => void reasons.push(reason) };
      const guest = startGuest(program, { ...options, entry: 'in_local' });
      const outcome = guest.run({ atPoint: point });
      if (outcome.kind === 'checkpointed') {
        const elsewhere = restoreGuest(program, load(store(outcome.snapshot)), options);
        expect(elsewhere.run()).toMatchObject({ kind: 'finished', results: [7] });
        outcomes.push('restored');
      } else {
        expect(outcome).toMatchObject({ kind: 'finished', results: [7] });
        expect(guest.statistics).toMatchObject({ checkpoints: 0, stablePoints: 5 });
        expect(reasons).toHaveLength(1);
        expect(reasons[0]).toMatch(/^no checkpoint can be taken here: r of \d+ holds a reference to something outside/);
        outcomes.push('refused');
      }
    }
    expect(outcomes).toEqual(['restored', 'refused', 'refused', 'restored', 'restored']);
  });

  test.each(['in_local', 'in_global', 'in_table'])(
    '%s: leaves and comes back with its frames by itself',
    async (entry) => {
      const program = await compiled;
      const reasons: string[] = [];
      const options = { imports, onRefused: (reason: string): void => void reasons.push(reason) };
      const guest = startGuest(program, { ...options, ...tierUpEvery(1), entry });
      expect(guest.run()).toMatchObject({ kind: 'finished', results: [entry === 'in_local' ? 7 : 2] });
      expect(guest.statistics.tierUps).toBe(guest.statistics.stablePoints);
      expect(reasons).toEqual([]);
    },
  );

  test.each(['in_local', 'in_global'])(
    '%s: comes back as itself, though the host has a number for it',
    async (entry) => {
      const asked: unknown[] = [];
      const references = {
        numberOf: (value: unknown): number => asked.push(value),
        valueOf: (): unknown => ({ size: 2 }),
      };
      const guest = startGuest(await compiled, { imports, references, ...tierUpEvery(1), entry });
      expect(guest.run()).toMatchObject({ kind: 'finished', results: [entry === 'in_local' ? 7 : 2] });
      expect(guest.statistics.tierUps).toBe(guest.statistics.stablePoints);
      expect(asked).toEqual([]);
    },
  );

  test.each(['in_local', 'in_global', 'in_table'])(
    '%s: refused, or saved by the number that the host gives it',
    async (entry) => {
      const program = await compiled;
      const reasons: string[] = [];
      const alone = startGuest(program, { imports, entry, onRefused: (reason) => void reasons.push(reason) });
      expect(alone.run({ atPoint: entry === 'in_local' ? 3 : 2 })).toMatchObject({ kind: 'finished' });
      expect(reasons).toHaveLength(1);

      const references = {
        numberOf: (value: unknown): number | undefined => (value === thing ? 41 : undefined),
        valueOf: (number: number): unknown => (number === 41 ? thing : undefined),
      };
      const stopped = startGuest(program, { imports, references, entry }).run({
        atPoint: entry === 'in_local' ? 3 : 2,
      });
      if (stopped.kind !== 'checkpointed') throw new Error(`it ${stopped.kind}`);
      const snapshot = load(store(stopped.snapshot));
      expect(restoreGuest(program, snapshot, { imports, references }).run()).toMatchObject({
        kind: 'finished',
        results: [entry === 'in_local' ? 7 : 2],
      });
      // Where nobody knows the number, nothing of the guest runs.
      expect(() => restoreGuest(program, snapshot, { imports }).run()).toThrow(
        'it refers to number 41 of the host, which has none',
      );
    },
  );
});

test("a guest that another module's function has called back stays where it is", async () => {
  const { wasm } = subjectOf(
    'called back',
    `(module
      (table (export "functions") 1 funcref)
      (func (export "sum") (param $n i32) (result i32)
        (local $sum i32)
        (loop $l
          (local.set $sum (i32.add (local.get $sum) (local.get $n)))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
      (func (export "run") (result i32)
        (local $i i32) (local $sum i32)
        (loop $l
          (local.set $sum (i32.add (local.get $sum) (call_indirect (result i32) (i32.const 0))))
          (br_if $l (i32.lt_u (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3))))
        (local.get $sum)))`,
  );
  const program = await loadProgram(compile(wasm, { policies: ['loop-checkpoint'] }).wasm);
  const guest = startGuest(program, { ...tierUpEvery(1), entry: 'run' });
  const { functions, sum } = guest.exports;
  if (!(functions instanceof WebAssembly.Table) || typeof sum !== 'function')
    throw new Error('the module lacks its exports');
  const passOn = subjectOf('passing on', `(module (import "env" "f" (func $f (result i32))) (export "f" (func $f)))`);
  const module = new WebAssembly.Module(Uint8Array.from(passOn.wasm));
  const other = new WebAssembly.Instance(module, { env: { f: (): unknown => sum(4) } });
  functions.set(0, other.exports['f']);
  expect(guest.run()).toMatchObject({ kind: 'finished', results: [30] });
  expect(guest.statistics.tierUps).toBe(0);
});
