/**
 * Stable points in programs with exceptions in their newer form (`try_table`, `throw_ref`). Each program is compared with
 * itself: compiled under every policy, undisturbed, and stopped and restored at each of its stable points. That needs an
 * engine which knows the form; what is compiled is checked in every engine.
 */

import { describe, expect, test } from '@jest/globals';
import { compile } from '../compiler/index.js';
import { everyPolicy, expectSameAtEveryPoint } from '../fixtures/passes/every-policy.js';
import { say } from '../fixtures/passes/say.js';
import { subjectOf } from '../fixtures/passes/subject.js';
import { dropped, fail, throwingProgram } from '../fixtures/passes/throwing-program.js';
import { assemble } from '../fixtures/passes/wat-module.js';
import { load, store } from '../fixtures/roundtrip/stored.js';
import { loadProgram, restoreGuest, startGuest } from '../runtime/index.js';
import { api } from './ir/binaryen.js';

const engineKnows = WebAssembly.validate(
  Uint8Array.from(assemble('(module (func (param exnref) (throw_ref (local.get 0))))')),
);
const describeInEngine = engineKnows ? describe : describe.skip;

const programs: readonly (readonly [string, string])[] = [
  ['a body that does not throw', `(block $l (return (try_table (result i32) (catch_all $l) ${say(1)}))) ${say(2)}`],
  ['catch', `(call $say (block $l (result i32) (return (try_table (result i32) (catch $number $l) ${fail(1)}))))`],
  ['catch_all', `(block $l (return (try_table (result i32) (catch_all $l) ${fail(2)}))) ${say(5)}`],
  [
    'catch_ref, and throw_ref after points',
    `(local $e exnref)
    (call $say (block $outer (result i32)
      (try_table (catch $number $outer)
        (block $l (result i32 exnref) (return (try_table (result i32) (catch_ref $number $l) ${fail(1)})))
        (local.set $e)
        (local.set $x)
        ${dropped(say(6))}
        ${dropped(say('(local.get $x)'))}
        (throw_ref (local.get $e)))
      (unreachable)))`,
  ],
  [
    'catch_all_ref, and throw_ref after points, of each kind of exception',
    `(local $e exnref) (local $sum i32)
    (loop $again
      (block $done
        (block $nothing
          (block $number (result i32)
            (block $pair (result i64 f64)
              (try_table (catch $pair $pair) (catch $number $number) (catch $nothing $nothing)
                (block $l (result exnref)
                  (try_table (catch_all_ref $l) ${dropped(fail('(local.get $x)'))})
                  (unreachable))
                (local.set $e)
                ${dropped(say(8))}
                (throw_ref (local.get $e)))
              (unreachable))
            (i32.trunc_f64_s)
            (local.set $sum)
            (i32.wrap_i64))
          (local.set $sum (i32.add (local.get $sum)))
          ${dropped(say('(local.get $sum)'))}
          (br $done))
        ${dropped(say(33))})
      (br_if $again (local.tee $x (i32.sub (local.get $x) (i32.const 1)))))
    (local.get $sum)`,
  ],
  [
    'a payload of several values, with the exception',
    `(local $e exnref) (local $f f64) (local $i i64)
    (block $l (result i64 f64 exnref) (return (try_table (result i32) (catch_ref $pair $l) ${fail(2)})))
    (local.set $e) (local.set $f) (local.set $i)
    ${dropped(say('(i32.wrap_i64 (local.get $i))'))}
    (block $m (result i64 f64)
      (try_table (catch $pair $m) ${dropped(say(1))} (throw_ref (local.get $e)))
      (unreachable))
    (i32.trunc_f64_s) (local.set $y) (i32.wrap_i64) (i32.add (local.get $y))`,
  ],
  [
    'clauses that are never chosen, and some for one tag',
    `(block $a
      (block $b (result i32)
        (drop (try_table (result i32) (catch $number $b) (catch $number $b) (catch_all $a) (catch_all $a) ${fail(4)}))
        (br $a))
      (return (call $say)))
    ${say(2)}`,
  ],
  ['no clauses', `(try_table (result i32) (i32.add ${say(1)} ${fail(0)}))`],
  [
    'null, which throw_ref traps on',
    `(local $e exnref)
    ${dropped(say(2))}
    (if (i32.eqz (ref.is_null (local.get $e))) (then (throw_ref (local.get $e))))
    ${say(3)}`,
  ],
  [
    'two exceptions at a time, thrown in the other order',
    `(local $e exnref) (local $f exnref) (local $n i32)
    (block $l (result exnref) (try_table (catch_all_ref $l) ${dropped(fail(1))}) (unreachable))
    (local.set $e)
    (block $l (result exnref) (try_table (catch_all_ref $l) ${dropped(fail(2))}) (unreachable))
    (local.set $f)
    (block $l (result i64 f64) (try_table (catch $pair $l) ${dropped(say(1))} (throw_ref (local.get $f))) (unreachable))
    (drop) (local.set $n (i32.wrap_i64))
    (block $l (result i32) (try_table (catch $number $l) ${dropped(say(2))} (throw_ref (local.get $e))) (unreachable))
    (i32.add (local.get $n))`,
  ],
  [
    'an exception that stays on the stack during calls',
    `(block $outer (result i32)
      (try_table (catch $number $outer)
        (block $l (result i32 exnref) (return (try_table (result i32) (catch_ref $number $l) ${fail(1)})))
        ${dropped(say(7))}
        (throw_ref))
      (unreachable))`,
  ],
  [
    'a loop in a try_table in a loop, left by a branch and by an exception',
    `(local $i i32)
    (block $out (result i32)
      (block $caught
        (try_table (catch_all $caught)
          (loop $l
            (local.set $i (i32.add (local.get $i) ${say(1)}))
            (drop (br_if $out (i32.const 77) (i32.gt_s (local.get $i) (local.get $y))))
            (if (i32.eq (local.get $i) (local.get $x)) (then ${dropped(fail(3))}))
            (br $l))))
      (local.set $x (i32.const 99))
      ${say('(local.get $i)')})`,
  ],
  [
    'clauses that branch to a loop',
    `(local $n i32)
    (loop $again (result i32)
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (if (i32.gt_s (local.get $n) (i32.const 3)) (then (return ${say('(local.get $n)')})))
      (try_table (result i32) (catch_all $again) ${fail(1)}))`,
  ],
  [
    'a table of branches out of a try_table',
    `(local $n i32)
    (block $c (block $b (block $a
      (try_table (catch_all $c)
        (br_table $a $b $c (i32.sub ${say('(local.get $x)')} (i32.const 2)))))
      (return ${say(10)}))
      (return ${say(20)}))
    ${say(30)}`,
  ],
  [
    'nested, with the inner one passing on what it does not know',
    `(block $outer (result i64 f64)
      (block $inner (result i32)
        (return (try_table (result i32) (catch $pair $outer)
          (try_table (result i32) (catch $number $inner) ${fail(2)}))))
      (return))
    (i32.trunc_f64_s) (local.set $x) (i32.wrap_i64) (i32.add ${say('(local.get $x)')})`,
  ],
  [
    'cleaning up in a frame in between, as C++ destructors do',
    `(local $e exnref)
    (block $caught (result i32)
      (try_table (catch $number $caught)
        (block $cleanup (result exnref)
          (try_table (catch_all_ref $cleanup) ${dropped(fail(4))})
          (unreachable))
        (local.set $e)
        (block $cleanup2 (result exnref)
          (try_table (catch_all_ref $cleanup2) ${dropped(say(3))} (throw_ref (local.get $e)))
          (unreachable))
        (local.set $e)
        ${dropped(say(4))}
        (throw_ref (local.get $e)))
      (i32.const 0))
    (i32.add ${say(2)})`,
  ],
];

describe.each(programs)('%s', (name, body) => {
  test.each([0, 3] as const)('compiles to a valid module without the older form, at -O%d', (optLevel) => {
    const { wasm, text } = compile(assemble(throwingProgram(body)), {
      policies: ['loop-checkpoint'],
      optLevel,
      text: true,
    });
    if (optLevel === 0 && name !== 'no clauses') expect(text).toMatch(/try_table|throw_ref/);
    expect(text).not.toMatch(/\(try |rethrow|"mvvm" "(caught|throw_ref)"/);
    const module = api.readBinary(wasm);
    module.setFeatures(api.Features.All);
    expect(module.validate()).toBe(1);
    module.dispose();
    if (engineKnows) expect(WebAssembly.validate(Uint8Array.from(wasm))).toBe(true);
  });

  describeInEngine('stopped at every point (skipped where the engine does not know the newer form)', () => {
    test.each(everyPolicy)('$policy', (configuration) =>
      expectSameAtEveryPoint(subjectOf(name, throwingProgram(body)), configuration, 6),
    );

    test('optimised', () => {
      const configuration = { policy: 'function-checkpoint', thresholdBits: 16 } as const;
      return expectSameAtEveryPoint(subjectOf(name, throwingProgram(body)), configuration, 6, 3);
    });
  });
});

describeInEngine('an exception that comes from outside', () => {
  // `run` keeps what the host throws in a local and, deeper, another in a second frame; it works on, and throws the first on.
  const wasm = assemble(`(module
    (import "env" "note" (func $note (param i32) (result i32)))
    (import "env" "throw" (func $throw (param i32)))
    (func $work (param $n i32) (result i32)
      (local $sum i32)
      (loop $l
        (local.set $sum (i32.add (local.get $sum) (call $note (local.get $n))))
        (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
      (local.get $sum))
    (func $deeper
      (local $e exnref)
      (block $l (result exnref) (try_table (catch_all_ref $l) (call $throw (i32.const 2))) (unreachable))
      (local.set $e)
      (drop (call $work (i32.const 2)))
      (throw_ref (local.get $e)))
    (func (export "run") (result i32)
      (local $e exnref) (local $f exnref)
      (drop (call $work (i32.const 2)))
      (block $l (result exnref) (try_table (catch_all_ref $l) (call $throw (i32.const 1))) (unreachable))
      (local.set $e)
      (block $l (result exnref) (try_table (catch_all_ref $l) (call $deeper)) (unreachable))
      (local.set $f)
      (drop (call $work (i32.const 2)))
      (block $l (try_table (catch_all $l) (throw_ref (local.get $f))) (unreachable))
      (throw_ref (local.get $e))))`);

  test('hinders checkpoints while a frame holds it, and stays the object that it was', async () => {
    const program = await loadProgram(compile(wasm, { policies: ['loop-checkpoint'], optLevel: 0 }).wasm);
    const kinds: string[] = [];
    for (let atPoint = 1; atPoint <= 3; atPoint++) {
      const thrown = [new Error('1'), new Error('2')];
      const notes: number[] = [];
      const refused: string[] = [];
      const imports = {
        env: {
          note: (n: number): number => notes.push(n),
          throw: (n: number): never => {
            throw thrown[n - 1];
          },
        },
      };
      const options = { imports, onRefused: (reason: string): void => void refused.push(reason) };
      const guest = startGuest(program, { ...options, entry: 'run' });
      let outcome = guest.run({ atPoint });
      if (outcome.kind === 'checkpointed') {
        outcome = restoreGuest(program, load(store(outcome.snapshot)), options).run();
        kinds.push('restored');
      } else {
        expect(refused.join()).toContain('holds a reference to something outside the module');
        expect(guest.statistics).toMatchObject({ stablePoints: 3, checkpoints: 0 });
        kinds.push('refused');
      }
      expect(outcome).toEqual({ kind: 'trapped', error: thrown[0] });
      expect(notes).toEqual([2, 1, 2, 1, 2, 1]);
    }
    expect(kinds).toEqual(['restored', 'refused', 'refused']);
  });
});

describe('refused by name', () => {
  const refusals: readonly (readonly [what: string, wat: string, diagnostic: object])[] = [
    [
      'an exception in a global that can change',
      '(global $g (mut exnref) (ref.null exn)) (func (export "run") (throw_ref (global.get $g)))',
      { code: 'unsupported/slot-type', where: 'global g' },
    ],
    [
      'an exception as a parameter of a function that can be stopped',
      '(func $f (param exnref) (throw_ref (local.get 0))) (func (export "run") (call $f (ref.null exn)))',
      { code: 'unsupported/slot-type', where: 'function f' },
    ],
    [
      'a table of exceptions',
      '(table $t 1 exnref) (func (export "run") (table.set $t (i32.const 0) (ref.null exn)) (throw_ref (table.get $t (i32.const 0))))',
      { code: 'unsupported/slot-type', where: 'table t' },
    ],
    [
      'exceptions in both forms',
      '(func (export "run") (try (do) (catch_all)) (block $l (try_table (catch_all $l))))',
      { code: 'unsupported/module' },
    ],
  ];

  test.each(refusals)('%s', (_, wat, diagnostic) => {
    const wasm = assemble(`(module ${wat})`);
    expect(() => compile(wasm, { policies: ['function-checkpoint'], optLevel: 0 })).toThrow(
      expect.objectContaining({ diagnostic: expect.objectContaining(diagnostic) }),
    );
  });
});
