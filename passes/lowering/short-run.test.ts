/** Runs that are not counted leave the count as it is: stopped or not, a program passes the same stable points. */

import { describe, expect, test } from '@jest/globals';
import { type CompileOptions, compile } from '../../compiler/index.js';
import { subjectOf } from '../../fixtures/passes/subject.js';
import { judge, type Verdict } from '../../fixtures/roundtrip/oracle.js';
import { runPlain } from '../../fixtures/roundtrip/plain-run.js';
import { loadProgram } from '../../runtime/index.js';

/** Only functions with a twin have short runs, so all get one. */
async function judgeCounted(wat: string, thresholdBits: number): Promise<Verdict> {
  const subject = subjectOf('uncounted', wat);
  const options: CompileOptions = { policies: ['counter-loop-checkpoint'], thresholdBits, optLevel: 0 };
  const { wasm } = compile(subject.wasm, { ...options, twinBudget: 1000 });
  const reach = { positions: 4, continued: 4, chain: 0, steps: 100 };
  return judge(await runPlain(subject), await loadProgram(wasm), subject, reach);
}

describe('loops of few iterations', () => {
  test('count the same after a stop with few iterations left', async () => {
    const { failures, passed } = await judgeCounted(
      `(module
        (func (export "run") (result i32) (local $i i32) (local $k i32)
          (local.set $k (i32.const 30000))
          (loop $outer
            (local.set $i (i32.const 0))
            (loop $inner (br_if $inner (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (i32.const 3))))
            (br_if $outer (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
          (local.get $i)))`,
      11,
    );
    expect(failures).toEqual([]);
    expect(passed).toBe(43);
  }, 60_000);

  test.each([
    ['of their own', '(if (i32.eq (local.get $k) (i32.const 1)) (then (throw $end)))'],
    ['of a function without points', '(call $throw-if (i32.eq (local.get $k) (i32.const 1)))'],
  ])(
    'are polled if they may end by an exception %s, and keep the count of the loops around them',
    async (_, throwing) => {
      const { failures, passed } = await judgeCounted(
        `(module
        (tag $end)
        (func $throw-if (param $is i32) (if (local.get $is) (then (throw $end))))
        (global $two (mut i32) (i32.const 2))
        (func $fifty (local $i i32) (local $k i32) (local $end i32)
          (local.set $end (global.get $two))
          (local.set $k (i32.const 50))
          (loop $outer
            (local.set $i (i32.const 0))
            (loop $inner
              ${throwing}
              (br_if $inner (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 1))) (local.get $end))))
            (br_if $outer (local.tee $k (i32.sub (local.get $k) (i32.const 1))))))
        (func (export "run") (result i32) (local $k i32) (local $ends i32)
          (local.set $k (i32.const 1000))
          (loop $again
            (try (do (call $fifty)) (catch $end (local.set $ends (i32.add (local.get $ends) (i32.const 1)))))
            (br_if $again (local.tee $k (i32.sub (local.get $k) (i32.const 1)))))
          (local.get $ends)))`,
        11,
      );
      expect(failures).toEqual([]);
      // 100 000 passings but for one in each call, each 2048th of which is one of a stable point.
      expect(passed).toBe(48);
    },
    60_000,
  );
});
