/** Modules that a compiler could have made, over the whole host. */

import { describe, expect, test } from '@jest/globals';
import binaryen from 'binaryen';
import { createWasi, outputTo, type Wasi, type WasiOptions } from './index.js';
import { testOptions } from './wasi-guest.test.support.js';

function instantiate(wat: string, wasi: Wasi): WebAssembly.Instance {
  const module = binaryen.parseText(wat);
  try {
    const bytes = Uint8Array.from(module.emitBinary());
    const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), wasi.imports);
    const { memory } = instance.exports;
    if (memory instanceof WebAssembly.Memory) wasi.attach(memory);
    return instance;
  } finally {
    module.dispose();
  }
}

function call(instance: WebAssembly.Instance, name: string): unknown {
  const entry = instance.exports[name];
  if (typeof entry !== 'function') throw new Error(`no function ${name} is exported`);
  return Reflect.apply(entry, undefined, []);
}

describe('a module', () => {
  test.each(['wasi_snapshot_preview1', 'wasi_unstable'])('writes and exits through %s', (dialect) => {
    let output = '';
    const stdout = outputTo((bytes) => {
      output += String.fromCharCode(...bytes);
    });
    const options: WasiOptions = testOptions();
    const wasi = createWasi({ ...options, stdio: { ...options.stdio, stdout } });
    const instance = instantiate(
      `(module
        (import "${dialect}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "${dialect}" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (data (i32.const 8) "hello\\n")
        (func (export "_start")
          (i32.store (i32.const 0) (i32.const 8))
          (i32.store (i32.const 4) (i32.const 6))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))
          (call $exit (i32.load (i32.const 100)))
          (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 100)))))`,
      wasi,
    );
    expect(() => call(instance, '_start')).toThrow(expect.objectContaining({ name: 'ProcExit', status: 6 }));
    expect(output).toBe('hello\n');
  });

  test('uses memory that it grew between two calls', () => {
    const wasi = createWasi(testOptions({ args: ['name'] }));
    const instance = instantiate(
      `(module
        (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "run") (result i32)
          (drop (call $args (i32.const 0) (i32.const 16)))
          (drop (memory.grow (i32.const 1)))
          (drop (call $args (i32.const 70000) (i32.const 70016)))
          (i32.load (i32.const 70016))))`,
      wasi,
    );
    expect(call(instance, 'run')).toBe(0x656d616e);
  });

  test.each([
    [2, 130],
    [6, 134],
    [15, 143],
    [30, 159],
  ])('that raises signal %d ends with status %d', (signal, status) => {
    const wat = `(module
      (import "wasi_snapshot_preview1" "proc_raise" (func $raise (param i32) (result i32)))
      (func (export "run") (result i32) (call $raise (i32.const ${signal}))))`;
    const instance = instantiate(wat, createWasi(testOptions()));
    expect(() => call(instance, 'run')).toThrow(expect.objectContaining({ name: 'ProcExit', status }));
  });

  test.each([
    [0, 0],
    [16, 0],
    [18, 58],
    [31, 28],
    [-1, 28],
  ])('that raises signal %d goes on, with error %d', (signal, error) => {
    const wat = `(module
      (import "wasi_snapshot_preview1" "proc_raise" (func $raise (param i32) (result i32)))
      (func (export "run") (result i32) (call $raise (i32.const ${signal}))))`;
    expect(call(instantiate(wat, createWasi(testOptions())), 'run')).toBe(error);
  });
});

describe('what no guest could be given', () => {
  test.each([
    ['an argument with a NUL', { args: ['a\0b'] }, 'wasi-text-with-nul'],
    ['an environment with a NUL', { env: ['A=\0'] }, 'wasi-text-with-nul'],
    ['a directory without a name', { preopens: [{ ...directory(), guest: '' }] }, 'wasi-bad-preopen-name'],
    ['two directories of one name', { preopens: [directory(), directory()] }, 'wasi-bad-preopen-name'],
  ])('%s is refused', (_, changes, code) => {
    expect(() => createWasi(testOptions(changes))).toThrow(expect.objectContaining({ code }));
  });
});

function directory(): WasiOptions['preopens'][number] {
  const [first] = testOptions().preopens;
  if (first === undefined) throw new Error('no directory');
  return first;
}
