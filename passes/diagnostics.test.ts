/** Everything that the passes refuse, by name: from a module to the diagnostic. */

import { describe, expect, test } from '@jest/globals';
import { withModule } from '../fixtures/passes/wat-module.js';
import type { Policy } from '../runtime/abi/index.js';
import * as diagnostics from './diagnostics.js';
import {
  CompileError,
  type Diagnostic,
  invalidOutput,
  optimiserFailed,
  refuse,
  uncoveredCycle,
} from './diagnostics.js';
import { IrModule } from './ir/module.js';
import { instrument } from './pipeline.js';

function diagnosticOf(action: () => void): Diagnostic {
  try {
    action();
  } catch (error) {
    if (error instanceof CompileError) return error.diagnostic;
    throw error;
  }
  throw new Error('nothing was refused');
}

const refusalOf = (fields: string, policy: Policy = 'function-checkpoint'): Diagnostic =>
  diagnosticOf(() =>
    withModule(`(module ${fields})`, (module) => {
      instrument(module, { policies: [policy], thresholdBits: 16 });
    }),
  );

describe('module/malformed', () => {
  test('text that is none, with the place', () => {
    expect(diagnosticOf(() => IrModule.parse('(module (func (call $x)))'))).toMatchObject({
      code: 'module/malformed',
      message: 'the module cannot be read: 1:22: error: function $x does not exist',
    });
  });

  test('bytes that are none, with a hint', () => {
    const { code, message, hint } = diagnosticOf(() =>
      IrModule.read(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 5)),
    );
    expect(code).toBe('module/malformed');
    expect(message).toMatch(/^the module cannot be read: \w.* \w/);
    expect(hint).toContain('wasm-validate');
  });
});

describe('module/reserved-name', () => {
  test.each([
    ['import "mvvm.poll"', '(import "mvvm" "poll" (func))'],
    ['import "mvvm.x.y"', '(import "mvvm.x" "y" (func))'],
    ['import "mvvm.g"', '(import "mvvm" "g" (global i32))'],
    ['import "mvvm.m"', '(import "mvvm" "m" (memory 1))'],
    ['import "mvvm.t"', '(import "mvvm" "t" (table 1 funcref))'],
    ['function "mvvm.fire"', '(func $mvvm.fire)'],
    ['global "mvvm.budget"', '(global $mvvm.budget (mut i32) (i32.const 0))'],
    ['exported function "mvvm.save"', '(func (export "mvvm.save"))'],
    ['exported table "mvvm.table.0"', '(table (export "mvvm.table.0") 1 funcref)'],
    ['exported memory "mvvm"', '(memory (export "mvvm") 1)'],
    ['exported global "mvvm.g"', '(global (export "mvvm.g") i32 (i32.const 0))'],
  ])('%s', (what, fields) => {
    expect(refusalOf(fields)).toMatchObject({
      code: 'module/reserved-name',
      message: `${what} uses the reserved prefix "mvvm"`,
    });
  });
});

describe('unsupported/instruction', () => {
  test.each([
    ['CallRef is', '(type $t (func)) (func $f (param (ref $t)) (call_ref $t (local.get 0)))'],
    [
      'ContNew is',
      `(type $f (func)) (type $c (cont $f)) (elem declare func $g) (func $g)
      (func $f (drop (cont.new $c (ref.func $g))))`,
    ],
    ['StructNew is', '(type $s (struct (field i32))) (func $f (drop (struct.new $s (i32.const 0))))'],
    [
      'a tail call inside try to an import that can block is',
      `(import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32))) (tag $e)
      (func $f (param i32) (result i32)
        (try (do (return_call $read (local.get 0) (local.get 0) (local.get 0) (local.get 0))) (catch $e)) (local.get 0))`,
    ],
  ])('%s not supported', (what, fields) => {
    expect(refusalOf(fields)).toEqual({
      code: 'unsupported/instruction',
      message: `${what} not supported in a function that can be stopped`,
      where: 'function f',
      hint: 'build the program without it; docs/limits.md says why it is refused',
    });
  });
});

describe('unsupported/slot-type', () => {
  test.each([
    ['a local', '(func $g) (func $f (param i32) (local $r anyref) (call $g) (local.set $r (local.get $r)))'],
    ['a parameter', '(func $f (param anyref))'],
    ['a result', '(func $f (result eqref) (ref.null eq))'],
    [
      'the result of a call through a table',
      '(type $t (func (result anyref))) (table 1 funcref) (elem (i32.const 0) $g) (func $f (drop (call_indirect (type $t) (i32.const 0)))) (func $g (type $t) (unreachable))',
    ],
  ])('%s that holds a reference of garbage collection', (_case, fields) => {
    const { code, message, where } = refusalOf(fields);
    expect({ code, message }).toEqual({
      code: 'unsupported/slot-type',
      message: 'a value of type ref would have to be saved at a stable point, and cannot be',
    });
    expect(where).toMatch(/^function [fg]$/);
  });

  test('a mutable global that holds a reference of garbage collection', () => {
    const { code, where } = refusalOf('(global $r (mut anyref) (ref.null any))');
    expect(code).toBe('unsupported/slot-type');
    expect(where).toMatch(/global r$/);
  });
});

describe('unsupported/module', () => {
  test.each([
    ['starts threads (import "wasi.thread-spawn")', '(import "wasi" "thread-spawn" (func (param i32) (result i32)))'],
    ['Asyncify has rewritten', '(func (export "asyncify_start_unwind") (param i32))'],
    ['Asyncify has rewritten', '(import "asyncify" "start_unwind" (func (param i32)))'],
  ])('a module that %s', (what, fields) => {
    expect(refusalOf(fields)).toMatchObject({ code: 'unsupported/module' });
    expect(refusalOf(fields).message).toBe(`a module that ${what} is not supported`);
  });

  test.each([
    ['a 64-bit memory', '(memory i64 1)'],
    ['more than one memory', '(memory 1) (memory 1)'],
  ])('%s, where stores are to say what they change', (what, fields) => {
    expect(refusalOf(fields, 'loop-dirty-checkpoint')).toEqual({
      code: 'unsupported/module',
      message: `${what} with the policy loop-dirty-checkpoint is not supported`,
      hint: 'docs/limits.md says why, and what can be done instead',
    });
  });
});

test('unsupported/blocking-import-in-table', () => {
  const fields = `(import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (table 1 funcref) (elem (i32.const 0) $poll)`;
  expect(refusalOf(fields)).toEqual({
    code: 'unsupported/blocking-import-in-table',
    message: 'import "poll" can block and is called through a table, where it cannot be interrupted',
    hint: 'wrap it in a function of the module and put that into the table',
  });
});

describe('internal', () => {
  test('an invalid module, with the pass and what Binaryen says', () => {
    const { code, message } = diagnosticOf(() =>
      withModule('(module (func $f (result i32) (i32.const 0)))', (module) => {
        const [fn] = module.definedFunctions();
        if (fn !== undefined) module.setBody(fn, module.make.nop());
        module.validate('the-pass');
      }),
    );
    expect(code).toBe('internal/invalid-module');
    expect(message).toMatch(/^pass the-pass produced a module that does not validate: .*function f/);
  });

  test('bugs ask to be reported', () => {
    expect(uncoveredCycle(['function f', 'loop l'])).toMatchObject({
      code: 'internal/uncovered-cycle',
      message: 'a cycle has no stable point: function f -> loop l',
    });
    for (const { hint } of [uncoveredCycle([]), invalidOutput('p', 'r'), optimiserFailed('r')]) {
      expect(hint).toContain('please report it');
    }
  });
});

test('an error says what and where', () => {
  expect(() => refuse({ code: 'a/b', message: 'this is wrong', where: 'function f' })).toThrow(
    new CompileError({ code: 'a/b', message: 'this is wrong', where: 'function f' }),
  );
  expect(new CompileError({ code: 'a/b', message: 'this is wrong', where: 'function f' }).message).toBe(
    'this is wrong (in function f)',
  );
  expect(new CompileError({ code: 'a/b', message: 'this is wrong' }).message).toBe('this is wrong');
});

test('each diagnostic is tested here', () => {
  const makers = Object.keys(diagnostics).filter((name) => !['CompileError', 'refuse'].includes(name));
  expect(makers.sort()).toEqual([
    'blockingImportInTable',
    'invalidOutput',
    'malformedModule',
    'optimiserFailed',
    'reservedName',
    'uncoveredCycle',
    'unsupportedInstruction',
    'unsupportedModule',
    'unsupportedSlot',
  ]);
});
