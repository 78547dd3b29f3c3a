/** Points are counted exactly where the host calls back while loops go round, or ends the program in them. */

import { describe, expect, test } from '@jest/globals';
import { compile } from '../../compiler/index.js';
import { assemble } from '../../fixtures/passes/wat-module.js';
import { policies } from '../../runtime/abi/index.js';
import { loadProgram, type StopConditions, startGuest, wasiSystem } from '../../runtime/index.js';

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

function compileWith(policy: (typeof policies)[number], twinBudget: number, wat: string): Uint8Array {
  return compile(assemble(wat), { policies: [policy], thresholdBits: 3, optLevel: 0, twinBudget }).wasm;
}

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
      const wasm = compileWith(policy, twinBudget, program(call));
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

const EXITS_AT = 500;

/** Counts up in memory, and ends itself in its loop. */
const endingItself = (call: string): string => `(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (type $t (func (param i32)))
  (table 1 funcref) (elem (i32.const 0) $exit)
  (func $indirectly (param $status i32) (call $exit (local.get $status)))
  (func (export "_start") (local $turn i32)
    (loop $turns
      (i32.store (i32.const 8) (local.tee $turn (i32.add (local.get $turn) (i32.const 1))))
      (if (i32.eq (i32.load (i32.const 8)) (i32.const ${EXITS_AT})) (then ${call}))
      (br_if $turns (i32.ne (local.get $turn) (i32.const ${2 * EXITS_AT}))))))`;

describe.each([
  ['at once', '(call $exit (i32.const 3))'],
  ['through a function that has no points', '(call $indirectly (i32.const 3))'],
  ['through a table', '(call_indirect (type $t) (i32.const 3) (i32.const 0))'],
])('a program that ends itself in a loop %s', (_, call) => {
  test.each([
    ['loop-checkpoint', EXITS_AT - 1],
    ['counter-loop-checkpoint', Math.floor((EXITS_AT - 1) / 2 ** 3)],
  ] as const)('under %s', async (policy, points) => {
    for (const twinBudget of [0, 1000]) {
      const wasm = compileWith(policy, twinBudget, endingItself(call));
      const guest = startGuest(await loadProgram(wasm), { system: wasiSystem(), tierUp: false });
      expect(guest.run()).toMatchObject({ kind: 'finished', exitStatus: 3 });
      expect(guest.statistics.stablePoints).toBe(points);
    }
  });
});
