/**
 * Stable points inside `try`, in its clauses, and around them. Each program is compared with itself: compiled under every
 * policy, undisturbed, and stopped and restored at each of its stable points.
 */

import { describe, expect, test } from '@jest/globals';
import { compile } from '../compiler/index.js';
import { everyPolicy, expectSameAtEveryPoint } from '../fixtures/passes/every-policy.js';
import { say } from '../fixtures/passes/say.js';
import { subjectOf } from '../fixtures/passes/subject.js';
import { dropped, fail, throwingProgram } from '../fixtures/passes/throwing-program.js';
import { load, store } from '../fixtures/roundtrip/stored.js';
import { tierUpEvery } from '../fixtures/roundtrip/tier-up-every.js';
import { loadProgram, restoreGuest, startGuest } from '../runtime/index.js';

const delegate = `(func $delegate (result i32)
  (try (result i32) (do (try (result i32) (do (call $fail (i32.const 1))) (delegate 1))) (catch_all (unreachable))))`;

const programs: readonly (readonly [string, string])[] = [
  ['a body that does not throw', `(try (result i32) (do ${say(1)}) (catch_all ${say(2)}))`],
  ['a value from the clause', `(try (result i32) (do ${fail(1)}) (catch $number (call $say (pop i32))))`],
  [
    'a payload that is needed long after it was caught',
    `(try (result i32) (do ${fail(4)})
      (catch $number (local.set $x (pop i32)) ${dropped(say(5))} ${dropped(say(6))} (i32.add (local.get $x) ${say(7)})))`,
  ],
  [
    'a payload of several values',
    `(local $p (tuple i64 f64))
    (try (result i32) (do ${fail(2)})
      (catch $pair (local.set $p (pop (tuple i64 f64))) ${dropped(say(5))}
        (i32.add (i32.wrap_i64 (tuple.extract 2 0 (local.get $p))) (i32.trunc_f64_s (tuple.extract 2 1 (local.get $p))))))`,
  ],
  [
    'the clause that fits, of several',
    `(local $p (tuple i64 f64))
    (loop $l (result i32)
      (try (do ${dropped(fail('(local.get $x)'))})
        (catch $number ${dropped('(call $say (pop i32))')})
        (catch $pair (local.set $p (pop (tuple i64 f64))) ${dropped(say(22))} ${dropped('(call $say (i32.wrap_i64 (tuple.extract 2 0 (local.get $p))))')})
        (catch $nothing ${dropped(say(33))})
        (catch_all (unreachable)))
      (br_if $l (local.tee $x (i32.sub (local.get $x) (i32.const 1))))
      (global.get $g))`,
  ],
  ...['(throw $nothing)', dropped(fail(3))].map((exit): [string, string] => [
    `a loop whose number of iterations would be known, but for ${exit}`,
    `(local $i i32) (local $rounds i32) (local.set $rounds (i32.const 4))
    (loop $around
      (local.set $i (i32.const 0))
      (try
        (do (loop $counted
          (local.set $x (i32.add (i32.mul (local.get $x) (i32.const 3)) (local.get $i)))
          (if (i32.eq (i32.and (local.get $x) (i32.const 3)) (i32.const 2)) (then ${exit}))
          (br_if $counted (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 900)))))
        (catch_all ${dropped(say(1))}))
      (br_if $around (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $x)`,
  ]),
  [
    'rethrow from a catch, after points',
    `(try (result i32)
      (do (try $t (result i32) (do ${fail(1)}) (catch $number (local.set $x (pop i32)) ${dropped(say(8))} (rethrow $t))))
      (catch $number (i32.mul (pop i32) ${say(2)})))`,
  ],
  [
    'rethrow from a catch, after a loop that needs nothing of what was caught',
    `(local $turns i32) (local.set $turns (i32.const 2))
    (try (result i32)
      (do (try $t (result i32) (do ${fail(1)}) (catch $number
        (drop (pop i32))
        (loop $l ${dropped(say(8))} (br_if $l (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
        (rethrow $t))))
      (catch $number (pop i32)))`,
  ],
  [
    'rethrow from a catch_all, after points, of what it does not know',
    `(local $p (tuple i64 f64))
    (loop $l (result i32)
      (try
        (do (try $t (do ${dropped(fail('(local.get $x)'))}) (catch_all ${dropped(say(8))} ${dropped(say(9))} (rethrow $t))))
        (catch $number ${dropped('(call $say (pop i32))')})
        (catch $pair (local.set $p (pop (tuple i64 f64))) ${dropped('(call $say (i32.wrap_i64 (tuple.extract 2 0 (local.get $p))))')})
        (catch_all ${dropped(say(33))}))
      (br_if $l (local.tee $x (i32.sub (local.get $x) (i32.const 1))))
      (global.get $g))`,
  ],
  [
    'a clause in a clause, and rethrow of the outer exception from the inner',
    `(try (result i32)
      (do (try $outer (result i32) (do ${fail(1)})
        (catch $number
          (local.set $x (pop i32))
          (try $inner (result i32) (do ${fail(3)})
            (catch $nothing ${dropped(say('(local.get $x)'))} (rethrow $outer))))))
      (catch_all ${say(7)}))`,
  ],
  [
    'catch_all in catch_all, and rethrow of either',
    `(local $n i32)
    (loop $l (result i32)
      (try (do
        (try $outer (do ${dropped(fail('(local.get $x)'))})
          (catch_all
            (try $inner (do ${dropped(fail('(i32.sub (i32.const 4) (local.get $x))'))})
              (catch_all
                ${dropped(say(50))}
                (if (i32.eq (local.get $x) (i32.const 2)) (then (rethrow $inner)))
                ${dropped(say(51))}
                (rethrow $outer))))))
        (catch $number (local.set $n (i32.add (pop i32) (local.get $n))))
        (catch_all ${dropped(say('(i32.add (local.get $n) (local.get $x))'))}))
      (br_if $l (local.tee $x (i32.sub (local.get $x) (i32.const 1))))
      ${say('(local.get $n)')})`,
  ],
  [
    'a loop in a clause in a loop',
    `(local $i i32) (local $sum i32)
    (loop $l (result i32)
      (try (do ${dropped(fail('(i32.const 1)'))})
        (catch $number
          (local.set $i (pop i32))
          (loop $m
            (local.set $sum (i32.add (local.get $sum) (call $say (local.get $i))))
            (br_if $m (i32.gt_s (local.tee $i (i32.sub (local.get $i) (i32.const 4))) (i32.const 0))))))
      (br_if $l (local.tee $x (i32.sub (local.get $x) (i32.const 1))))
      (local.get $sum))`,
  ],
  [
    'a loop in a body, left by a branch and by an exception',
    `(local $i i32)
    (block $out (result i32)
      (try (result i32)
        (do (loop $l
            (local.set $i (i32.add (local.get $i) ${say(1)}))
            (drop (br_if $out (i32.const 77) (i32.gt_s (local.get $i) (local.get $y))))
            (if (i32.eq (local.get $i) (local.get $x)) (then ${dropped(fail(3))}))
            (br $l))
          (unreachable))
        (catch_all (local.set $x (i32.const 99)) ${say('(local.get $i)')})))`,
  ],
  [
    'a branch out of a clause and a return from one',
    `(block $out
      (try (do ${dropped(fail(1))}) (catch $number (br_if $out (call $say (pop i32))) ${dropped(say(2))})))
    (try (do ${dropped(fail(3))}) (catch_all (return ${say(44)})))
    (i32.const 0)`,
  ],
  [
    'what a clause reads was set before the throw, or after',
    `(try
      (do (local.set $x ${say(7)}) ${dropped(fail(4))} (local.set $x ${say(8)}))
      (catch_all (local.set $y (i32.add (local.get $x) (local.get $y)))))
    (i32.mul ${say('(local.get $y)')} (local.get $x))`,
  ],
  [
    'a call whose result is not assigned when it throws',
    `(try (do (local.set $x (call $fail (local.get $x)))) (catch_all ${dropped(say('(local.get $x)'))})) (local.get $x)`,
  ],
  [
    'delegate to a try around, past one in between',
    `(try $outer (result i32)
      (do (try $between (result i32)
        (do (try (result i32) (do ${dropped(say(1))} ${fail(1)}) (delegate $outer)))
        (catch_all (unreachable))))
      (catch $number (call $say (pop i32))))`,
  ],
  ['delegate out of the function', `(try (result i32) (do (call $delegate)) (catch $number (call $say (pop i32))))`],
  [
    'a try as an operand between others',
    `(i32.sub ${say(1)} (i32.mul (try (result i32) (do ${fail(1)}) (catch $number (pop i32))) ${say(3)}))`,
  ],
  [
    'a try without points in a function with points',
    `(local.set $y ${say(2)})
    (try (do (throw $number (local.get $y))) (catch $number (local.set $x (pop i32))))
    (i32.add ${say('(local.get $x)')} (local.get $y))`,
  ],
  [
    'an exception through many frames, caught while others wait',
    `(try (result i32) (do (i32.add ${say(1)} (i32.add ${fail(4)} ${say(9)}))) (catch $number (i32.add (pop i32) ${fail(0)})))`,
  ],
];

test('a catch_all knows a tag that is thrown only where other code was taken apart', () => {
  const subject = subjectOf(
    'taken apart',
    `(module
      (import "env" "note" (func $note (param i32) (result i32)))
      (tag $rare (param i32))
      (func $say (param $n i32) (result i32) (drop (call $note (local.get $n))) (local.get $n))
      (func $early (result i32)
        (call $say
          (block $b (result i32)
            (drop (br_if $b (i32.const 5) (i32.eqz (call $say (i32.const 3)))))
            (throw $rare (i32.const 4)))))
      (func (export "run") (result i32)
        (try (result i32) (do (call $early)) (catch_all (call $say (i32.const 2))))))`,
  );
  return expectSameAtEveryPoint(subject, { policy: 'function-checkpoint', thresholdBits: 16 }, 6);
});

describe.each(programs)('%s', (name, body) => {
  const subject = subjectOf(name, throwingProgram(body, delegate));

  test.each(everyPolicy)('$policy', (configuration) => expectSameAtEveryPoint(subject, configuration, 6));
});

describe('an exception that comes from outside', () => {
  // `run` catches what the host throws, asks its host for nothing and then works on, in a frame of its own and below.
  const wasm = subjectOf(
    'foreign',
    `(module
      (import "env" "note" (func $note (param i32) (result i32)))
      (import "env" "throw" (func $throw))
      (global $g (export "g") (mut i32) (i32.const 0))
      (func $work (param $n i32) (result i32)
        (local $sum i32)
        (loop $l
          (local.set $sum (i32.add (local.get $sum) (call $note (local.get $n))))
          (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
      (func (export "run") (result i32)
        (local $n i32)
        (drop (call $work (i32.const 2)))
        (try $t
          (do (try $in (do (call $throw)) (catch_all (local.set $n (call $work (i32.const 3))) (rethrow $in))))
          (catch_all (global.set $g (call $work (i32.const 2)))))
        (i32.add (local.get $n) (call $work (i32.const 2)))))`,
  ).wasm;

  const configuration = { policies: ['loop-checkpoint' as const], optLevel: 0 as const };

  function hostOf(notes: number[]): WebAssembly.Imports {
    return {
      env: {
        note: (n: number): number => notes.push(n),
        throw: (): never => {
          throw new Error('of the host');
        },
      },
    };
  }

  test('does not hinder a checkpoint before or after it is handled; while it is, the checkpoint is refused', async () => {
    const program = await loadProgram(compile(wasm, configuration).wasm);
    const undisturbed: number[] = [];
    const guest = startGuest(program, { entry: 'run', imports: hostOf(undisturbed) });
    expect(guest.run()).toEqual({ kind: 'finished', results: [29], exitStatus: 0 });
    const { stablePoints } = guest.statistics;
    expect(stablePoints).toBe(5);

    const kinds: string[] = [];
    for (let point = 1; point <= stablePoints; point++) {
      const notes: number[] = [];
      const refused: string[] = [];
      const options = { imports: hostOf(notes), onRefused: (reason: string): void => void refused.push(reason) };
      const stopped = startGuest(program, { ...options, entry: 'run' });
      let outcome = stopped.run({ atPoint: point });
      if (outcome.kind === 'checkpointed') {
        const snapshot = load(store(outcome.snapshot));
        outcome = restoreGuest(program, snapshot, options).run();
        expect(refused).toEqual([]);
        kinds.push('restored');
      } else {
        expect(refused).toHaveLength(1);
        expect(refused[0]).toContain('is handling an exception that comes from outside the module');
        expect(stopped.statistics).toMatchObject({ stablePoints, checkpoints: 0 });
        kinds.push('refused');
      }
      expect(outcome).toEqual({ kind: 'finished', results: [29], exitStatus: 0 });
      expect(notes).toEqual(undisturbed);
    }
    expect(kinds.join(' ')).toBe('restored refused refused refused restored');
  });

  test('stays where it is while frames would leave and come back by themselves, and nobody is told', async () => {
    const program = await loadProgram(compile(wasm, configuration).wasm);
    const refused: string[] = [];
    const options = { imports: hostOf([]), onRefused: (reason: string): void => void refused.push(reason) };
    const guest = startGuest(program, { ...options, ...tierUpEvery(1), entry: 'run' });
    expect(guest.run()).toEqual({ kind: 'finished', results: [29], exitStatus: 0 });
    expect(guest.statistics).toMatchObject({ stablePoints: 5, tierUps: 2 });
    expect(refused).toEqual([]);
  });
});

test('a tag that is imported is thrown and caught again with the tag of the new host', async () => {
  const { wasm } = subjectOf(
    'imported',
    `(module
      (import "env" "tag" (tag $e (param i32)))
      (import "env" "throw" (func $throw))
      (func $work (param $n i32)
        (loop $l (br_if $l (i32.ge_s (local.tee $n (i32.sub (local.get $n) (i32.const 1))) (i32.const 0)))))
      (func $kept (param i32) (result i32) (call $work (i32.const 2)) (local.get 0))
      (func (export "run") (result i32)
        (try (result i32)
          (do (try $in (do (call $throw)) (catch_all (call $work (i32.const 2)) (rethrow $in))) (i32.const 0))
          (catch $e (i32.add (call $kept (pop i32)) (i32.const 1))))))`,
  );
  const program = await loadProgram(compile(wasm, { policies: ['loop-checkpoint'], optLevel: 0 }).wasm);
  const importsOfAHost = (): WebAssembly.Imports => {
    const tag = new WebAssembly.Tag({ parameters: ['i32'] });
    const env: WebAssembly.ModuleImports = {
      throw: () => {
        throw new WebAssembly.Exception(tag, [41]);
      },
    };
    // No declaration of what can be imported knows tags.
    Reflect.set(env, 'tag', tag);
    return { env };
  };
  for (const atPoint of [1, 2, 3, 4]) {
    const outcome = startGuest(program, { entry: 'run', imports: importsOfAHost() }).run({ atPoint });
    if (outcome.kind !== 'checkpointed') throw new Error(`it ${outcome.kind}`);
    const elsewhere = restoreGuest(program, load(store(outcome.snapshot)), { imports: importsOfAHost() });
    expect(elsewhere.run()).toEqual({ kind: 'finished', results: [42], exitStatus: 0 });
  }
});
