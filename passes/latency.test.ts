/** Requests are answered in a bounded number of iterations: programs that would pass no point if a loop relied on another's. */

import { describe, expect, test } from '@jest/globals';
import { type CompileOptions, compile } from '../compiler/index.js';
import { assemble } from '../fixtures/passes/wat-module.js';
import { policies } from '../runtime/abi/index.js';
import { loadProgram, startGuest } from '../runtime/index.js';

const ROUNDS = 20_480;

/** Stable points that `run` passes. Memory is zero, but for what the code stores at 0. */
async function countPoints(code: string, options: CompileOptions): Promise<number> {
  const wat = `(module (memory (export "memory") 1) (tag $e) (func $throw (throw $e))
    (func (export "run") (param $rounds i32) (local $i i32) (local $p i32) ${code}))`;
  const guest = startGuest(await loadProgram(compile(assemble(wat), options).wasm), {
    entry: 'run',
    entryArguments: [ROUNDS],
  });
  expect(guest.run()).toMatchObject({ kind: 'finished' });
  return guest.statistics.stablePoints;
}

const never = '(i32.load offset=4 (i32.const 0))';
const step = (local: string, by: number): string =>
  `(local.tee $${local} (i32.add (local.get $${local}) (i32.const ${by})))`;
const around = (inside: string): string =>
  `(loop $around (i32.store (i32.const 0) (local.get $rounds)) ${inside} (br_if $around ${step('rounds', -1)}))`;

/** A counted loop of eight iterations, the last of which throws. */
const leftBy = (exit: string): string =>
  `(local.set $i (i32.const 0))
   (try (do (loop $counted
     (i32.store offset=8 (i32.const 0) (local.get $i))
     (if (i32.eq (i32.load offset=8 (i32.const 0)) (i32.const 7)) (then ${exit}))
     (br_if $counted (i32.ne ${step('i', 1)} (i32.const 70_000)))))
     (catch $e))`;

const bits = 6;

describe.each([
  ['a loop of one iteration', `(loop $once (br_if $once ${never}))`],
  [
    'a counted loop of few iterations',
    `(local.set $i (i32.and (local.get $rounds) (i32.const 1)))
     (loop $few (i32.store offset=8 (i32.const 0) (local.get $i)) (br_if $few (i32.ne ${step('i', 1)} (i32.const 2))))`,
  ],
  ['a short scan', `(local.set $p (i32.const 8)) (loop $text (br_if $text (i32.load8_u ${step('p', 1)})))`],
  [
    'loops that are left by going on with the next, which stands in them',
    `(block $out (loop $one (br_if $one ${never}) (loop $other (br_if $other ${never})) (br $out)))`,
  ],
  ['a counted loop that an exception leaves', leftBy('(throw $e)')],
  ['a counted loop that calls what throws', leftBy('(call $throw)')],
])('a loop around %s', (_, inside) => {
  test.each(policies)('under %s', async (policy) => {
    for (const twinBudget of [0, 1000]) {
      const points = await countPoints(around(inside), { policies: [policy], thresholdBits: bits, twinBudget });
      expect(points).toBeGreaterThanOrEqual(ROUNDS / 2 ** bits);
      expect(points).toBeLessThan(ROUNDS * 100);
    }
  });
});

test.each(policies)('short loops of many iterations count for more than one under %s', async (policy) => {
  const turns = 64;
  const turn = '(i32.store8 offset=64 (local.get $i) (i32.add (local.get $i) (local.get $rounds)))';
  const inside = `(local.set $i (i32.const 0))
    (loop $short ${turn.repeat(8)} (br_if $short (i32.ne ${step('i', 1)} (i32.const ${turns}))))`;
  // Without what the loop takes from the counter it would have to be run 2^16 times until a point is due.
  expect(await countPoints(around(inside), { policies: [policy], optLevel: 0 })).toBeGreaterThanOrEqual(3);
});
