import { describe, expect, test } from '@jest/globals';
import { IrModule } from './module.js';

function assemble(text: string): Uint8Array {
  const module = IrModule.parse(text);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

function diagnosticOf(action: () => unknown): { readonly code: string; readonly message: string } {
  try {
    action();
  } catch (error) {
    return Object(error).diagnostic;
  }
  return { code: 'nothing thrown', message: '' };
}

/** The same bytes with `from`, which is there once, replaced by `to`. */
function replaced(bytes: Uint8Array, from: readonly number[], to: readonly number[]): Uint8Array {
  const text = (values: Iterable<number>): string => String.fromCharCode(...values);
  const parts = text(bytes).split(text(from));
  expect(parts).toHaveLength(2);
  return Uint8Array.from(parts.join(text(to)), (char) => char.charCodeAt(0));
}

describe('what Binaryen overlooks is refused', () => {
  const twoExports = assemble('(module (func (export "a")) (func (export "b")))');
  const load = assemble('(module (memory 1) (func (export "f") (result i32) (i32.load (i32.const 0))))');
  test.each([
    ['two exports of one name', replaced(twoExports, [1, 0x62, 0], [1, 0x61, 0]), 'uplicate export'],
    ['an alignment larger than what is read', replaced(load, [0x28, 2, 0], [0x28, 3, 0]), 'alignment'],
  ])('%s', (_, bytes, reason) => {
    const { code, message } = diagnosticOf(() => IrModule.read(bytes));
    expect([code, message]).toEqual(['module/malformed', expect.stringContaining(reason)]);
  });
});

test('elements that are the value of a global are no functions by name', () => {
  const bytes = assemble(`(module (import "e" "g" (global $g funcref)) (table $t 3 funcref)
    (elem (table $t) (i32.const 0) funcref (ref.null func) (ref.func $f) (global.get $g)) (func $f))`);
  const module = IrModule.read(bytes);
  expect(module.elements.functions()).toEqual(['f']);
  module.dispose();
});

test('a segment that only declares can be named by instructions', () => {
  const bytes = assemble(`(module (table 1 funcref) (func $f) (elem $e func $f)
    (func (export "d") (table.init $e (i32.const 0) (i32.const 0) (i32.const 1)) (elem.drop $e)))`);
  const module = IrModule.read(replaced(bytes, [9, 5, 1, 1], [9, 5, 1, 3]));
  expect(module.emitText()).toContain('(elem $e func)\n');
  module.dispose();
});

describe('what a pass of Binaryen throws', () => {
  test('becomes an error with a code and its reason', () => {
    const module = IrModule.parse('(module)');
    expect(diagnosticOf(() => module.runPasses(['no-such-pass']))).toMatchObject({
      code: 'internal/optimiser-failed',
      message: 'the optimiser gave up on the module: Fatal: Could not find pass: no-such-pass',
    });
    module.dispose();
  });
});
