/** Points are counted exactly where the host calls back while loops go round, whatever is granted at a time. */

import { describe, expect, test } from '@jest/globals';
import { compile } from '../../compiler/index.js';
import { assemble } from '../../fixtures/passes/wat-module.js';
import { policies } from '../../runtime/abi/index.js';
import { loadProgram, type StopConditions, startGuest } from '../../runtime/index.js';

const [ROUNDS, TURNS] = [60, 50];

/** `run` lets the host call `inner` in each of its rounds. */
const program = (call: string): string => `(module
  (import "env" "back" (func $back (param i32) (result i32)))
  (memory (export "memory") 1)
  (type $t (func (param i32) (result i32)))
  (table (export "table") 2 funcref) (elem (i32.const 0) $back)
  (func $indirectly (param $turns i32) (result i32) (call $back (local.get $turns)))
  (func (export "inner") (param $turns i32) (result i32)
    (loop $turns
      (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (local.get $turns)))
      (br_if $turns (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
    (i32.load (i32.const 8)))
  (func (export "run") (param $rounds i32) (result i32)
    (local $sum i32)
    (loop $rounds
      (local.set $sum (i32.add (local.get $sum) ${call}))
      (br_if $rounds (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
    (local.get $sum)))`;

const turns = `(i32.const ${TURNS})`;

async function countPoints(wasm: Uint8Array, conditions: StopConditions | undefined): Promise<number> {
  const back = (count: number): unknown => {
    const { inner } = guest.exports;
    return typeof inner === 'function' ? inner(count) : undefined;
  };
  const set = { imports: { env: { back } }, entry: 'run', entryArguments: [ROUNDS], tierUp: false };
  const guest = startGuest(await loadProgram(wasm), set);
  expect(guest.run(conditions)).toMatchObject({ kind: 'finished' });
  return guest.statistics.stablePoints;
}

describe.each([
  ['itself', `(call $back ${turns})`],
  ['through a function that has no points', `(call $indirectly ${turns})`],
  ['through a table', `(call_indirect (type $t) ${turns} (i32.const 0))`],
])('a loop that calls the host %s', (_, call) => {
  test.each(policies)('under %s', async (policy) => {
    for (const twinBudget of [0, 1000]) {
      const { wasm } = compile(assemble(program(call)), {
        policies: [policy],
        thresholdBits: 3,
        optLevel: 0,
        twinBudget,
      });
      const [undisturbed, ...others] = await Promise.all(
        [undefined, { requested: () => false }, { atPoint: 2 ** 30 }].map((conditions) =>
          countPoints(wasm, conditions),
        ),
      );
      expect(others).toEqual([undisturbed, undisturbed]);
      // Each iteration that another follows, whoever polls where.
      if (policy === 'loop-checkpoint') expect(undisturbed).toBeGreaterThanOrEqual(ROUNDS * TURNS - 1);
    }
  });
});
