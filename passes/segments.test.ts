/**
 * Element segments, tables with 64-bit addresses, and names with a NUL. Each program is compared with itself: compiled under
 * every policy, undisturbed, and stopped and restored at each of its stable points.
 */

import { describe, expect, test } from '@jest/globals';
import { compile } from '../compiler/index.js';
import { everyPolicy, expectSameAtEveryPoint } from '../fixtures/passes/every-policy.js';
import { noteImport, say, sayFunction } from '../fixtures/passes/say.js';
import { subjectOf } from '../fixtures/passes/subject.js';
import { assemble } from '../fixtures/passes/wat-module.js';
import type { Subject } from '../fixtures/roundtrip/subject.js';
import { loadProgram, restoreGuest, startGuest } from '../runtime/index.js';

/** A program whose export is `body`. */
function program(fields: string, body: string): string {
  return `(module
    ${noteImport}
    (type $unary (func (param i32) (result i32)))
    ${fields}
    (memory (export "memory") 1)
    ${sayFunction()}
    (func $double (param $n i32) (result i32) (i32.mul (call $say (local.get $n)) (i32.const 2)))
    (func (export "run") (result i32) ${body}))`;
}

const tell = (n: number): string => `(drop ${say(n)})`;
const init = (segment: string, count: number): string =>
  `(table.init ${segment} (i32.const 0) (i32.const 0) (i32.const ${count}))`;
const callFirst = '(call_indirect (type $unary) (i32.const 5) (i32.const 0))';

const programs: readonly (readonly [name: string, fields: string, body: string])[] = [
  [
    'a segment that is dropped, and is used before',
    '(table 2 4 funcref) (elem $e func $say $double) (elem $d func $double)',
    `${tell(1)} ${init('$d', 1)} (elem.drop $d) ${tell(2)} ${init('$d', 0)} (drop ${callFirst}) ${init('$e', 2)} ${callFirst}`,
  ],
  [
    'a segment that is dropped, and is used after, which traps',
    '(table 2 4 funcref) (elem $e func $say $double) (elem $d func $double)',
    `${tell(1)} ${init('$d', 1)} (elem.drop $d) ${tell(2)} ${init('$e', 2)} ${tell(3)} ${init('$d', 1)} ${callFirst}`,
  ],
  [
    'the same segment dropped in two functions',
    `(table 2 4 funcref) (elem $d func $double)
    (func $drop (param i32) (if (local.get 0) (then (elem.drop $d))) ${tell(4)})`,
    `${tell(1)} (call $drop (i32.const 0)) ${init('$d', 1)} (call $drop (i32.const 1)) ${tell(2)} (elem.drop $d) ${callFirst}`,
  ],
];

describe.each(programs)('%s', (name, fields, body) => {
  const subject = subjectOf(name, program(fields, body));

  test.each(everyPolicy)('$policy', (configuration) => expectSameAtEveryPoint(subject, configuration, 6));

  test('optimised', () => expectSameAtEveryPoint(subject, { policy: 'function-checkpoint', thresholdBits: 16 }, 6, 3));
});

describe('elements that are the value of an imported global', () => {
  const wat = program(
    `(import "env" "g" (global $g funcref)) (table 2 4 funcref)
    (elem (i32.const 0) funcref (global.get $g) (ref.func $say)) (elem $e funcref (ref.func $double) (global.get $g))`,
    `(if (i32.eqz (ref.is_null (table.get (i32.const 0)))) (then (unreachable)))
    ${init('$e', 1)} (drop ${callFirst}) ${tell(1)} (table.copy (i32.const 0) (i32.const 1) (i32.const 1)) ${callFirst}`,
  );
  const plain = subjectOf('global elements', wat);
  const subject: Subject = {
    ...plain,
    makeWorld: () => {
      const world = plain.makeWorld();
      const g = new WebAssembly.Global({ value: 'anyfunc' });
      return {
        ...world,
        connect: (...args) => {
          const { imports, ...rest } = world.connect(...args);
          return { ...rest, imports: { env: { ...imports?.['env'], g } } };
        },
      };
    },
  };

  test.each(everyPolicy)('$policy', (configuration) => expectSameAtEveryPoint(subject, configuration, 6));
});

test.each([
  ['not optimised', { optLevel: 0 as const }],
  ['optimised', { optLevel: 3 as const }],
  ['optimised by another tool', { optLevel: 3 as const, wasmOpt: 'node_modules/binaryen/bin/wasm-opt' }],
])('a function that is the value of an imported global is called through a table: %s', async (_, options) => {
  const wat = `(module (import "env" "g" (global $g funcref)) (type $unary (func (param i32) (result i32)))
    (table 2 funcref) (elem (i32.const 0) funcref (global.get $g) (ref.null func))
    (func (export "run") (result i32) ${callFirst}))`;
  const other = '(module (func (export "f") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 7))))';
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(assemble(other)))).exports;
  if (typeof f !== 'function') throw new Error('it exports a function');
  const imports = { env: { g: new WebAssembly.Global({ value: 'anyfunc' }, f) } };
  const program = await loadProgram(compile(assemble(wat), { policies: ['function-checkpoint'], ...options }).wasm);
  const guest = startGuest(program, { entry: 'run', imports });
  expect(guest.run()).toEqual({ kind: 'finished', results: [35], exitStatus: 0 });
});

describe('a segment that only declares, which is as good as dropped', () => {
  const wat = program(
    '(table 2 4 funcref) (elem $d func $double)',
    `(table.set (i32.const 0) (ref.func $double)) ${tell(1)} ${init('$d', 0)} (elem.drop $d) (drop ${callFirst})
    ${init('$d', 1)} (i32.const 1)`,
  );
  const passive = subjectOf('declared', wat);
  // wat has the form, but Binaryen leaves out what only declares.
  const subject = { ...passive, wasm: replaced(passive.wasm, [9, 5, 1, 1], [9, 5, 1, 3]) };

  test.each(everyPolicy)('$policy', (configuration) => expectSameAtEveryPoint(subject, configuration, 6));
});

/** The bytes with one place of them changed. */
function replaced(bytes: Uint8Array, before: readonly number[], after: readonly number[]): Uint8Array {
  const at = Buffer.from(bytes).indexOf(Buffer.from(before));
  expect(at).toBeGreaterThan(0);
  const changed = Uint8Array.from(bytes);
  changed.set(after, at);
  return changed;
}

describe('a table with 64-bit addresses', () => {
  const wat = program(
    '(table $t i64 2 8 funcref) (elem (table $t) (i64.const 0) func $say)',
    `(drop (call_indirect $t (type $unary) (i32.const 1) (i64.const 0)))
    (drop (table.grow $t (ref.func $double) (i64.const 2)))
    (table.set $t (i64.const 0) (table.get $t (i64.const 3)))
    (table.fill $t (i64.const 1) (ref.func $double) (i64.const 2))
    (drop (call_indirect $t (type $unary) (i32.const 2) (i64.const 1)))
    (i32.add (i32.wrap_i64 (table.size $t)) (call_indirect $t (type $unary) (i32.const 3) (i64.const 0)))`,
  );
  const engineKnows = WebAssembly.validate(Uint8Array.from(assemble(wat)));

  test.each(everyPolicy)('compiles under $policy', ({ policy, thresholdBits }) => {
    const { text } = compile(assemble(wat), { policies: [policy], thresholdBits, optLevel: 0, text: true });
    expect(text).toContain('(table $t i64 2 8 funcref)');
  });

  (engineKnows ? test : test.skip).each(everyPolicy)(
    'is saved under $policy (skipped where the engine does not know it)',
    (configuration) => expectSameAtEveryPoint(subjectOf('table64', wat), configuration, 6),
  );
});

test('names of imports and exports with a NUL are those that the host knows', async () => {
  // Two that differ only behind it, one as the others are called inside, and one that is nothing else.
  const wasm = assemble(`(module
    (import "env" "a\\00b" (func $b (param i32) (result i32)))
    (import "env" "a\\00c" (func $c (param i32) (result i32)))
    (import "env" "a\\\\0c" (func $d (param i32) (result i32)))
    (memory (export "\\00") 1)
    (func $work (param i32) (result i32) (i32.add (call $b (local.get 0)) (call $c (local.get 0))))
    (func (export "run\\00it") (result i32) (i32.add (call $work (i32.const 1)) (call $d (i32.const 2)))))`);
  const compiled = compile(wasm, { policies: ['function-checkpoint'], optLevel: 0 });
  const imports = {
    env: { 'a\0b': (n: number) => n + 10, 'a\0c': (n: number) => n + 100, 'a\\0c': (n: number) => n + 1000 },
  };
  const module = new WebAssembly.Module(Uint8Array.from(compiled.wasm));
  expect(WebAssembly.Module.exports(module).map(({ name }) => name)).toEqual(expect.arrayContaining(['\0', 'run\0it']));
  expect(compiled.map.exports.map(({ name }) => name)).toEqual(['run\0it']);
  const program = await loadProgram(compiled.wasm);
  for (let atPoint = 1; atPoint <= 5; atPoint++) {
    const outcome = startGuest(program, { entry: 'run\0it', imports }).run({ atPoint });
    if (outcome.kind !== 'checkpointed') throw new Error(`it ${outcome.kind}`);
    const elsewhere = restoreGuest(program, outcome.snapshot, { imports });
    expect(elsewhere.run()).toEqual({ kind: 'finished', results: [1114], exitStatus: 0 });
  }
});
