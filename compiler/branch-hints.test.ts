import { describe, expect, test } from '@jest/globals';
import { readProgramModule, readPrograms } from '../fixtures/manifest.js';
import { withModule } from '../fixtures/passes/wat-module.js';
import { readInstructions } from '../passes/index.js';
import { ByteReader } from '../runtime/abi/index.js';
import { addBranchHints } from './branch-hints.js';
import { compile } from './compile.js';

interface Hint {
  readonly opcode: number;
  readonly likely: boolean;
}

/** For each function with hints, by its index in the module: the hints in order. */
function readHints(wasm: Uint8Array): Map<number, Hint[]> {
  const [section] = WebAssembly.Module.customSections(
    new WebAssembly.Module(Uint8Array.from(wasm)),
    'metadata.code.branch_hint',
  );
  if (section === undefined) return new Map();
  const bodies = readBodies(wasm);
  const hints = new ByteReader(new Uint8Array(section));
  const entries = hints.list(() => {
    const index = hints.u32();
    const found = hints.list((): Hint => {
      const offset = hints.u32();
      expect(hints.u32()).toBe(1);
      return { opcode: bodies.get(index)?.get(offset) ?? Number.NaN, likely: hints.u8() === 1 };
    });
    return { index, found };
  });
  hints.end();
  return new Map(entries.map(({ index, found }) => [index, found]));
}

const hintsOf = (wasm: Uint8Array): string[] =>
  [...readHints(wasm).values()].flat().map(({ opcode, likely }) => {
    return `${opcode === 0x04 ? 'if' : 'br_if'} ${likely ? 'likely' : 'unlikely'}`;
  });

/** Opcodes by offset, of each function by its index; there must be no imported functions but those counted here. */
function readBodies(wasm: Uint8Array): Map<number, Map<number, number>> {
  const imported = WebAssembly.Module.imports(new WebAssembly.Module(Uint8Array.from(wasm)));
  let index = imported.filter(({ kind }) => kind === 'function').length;
  const bodies = new Map<number, Map<number, number>>();
  const module = new ByteReader(wasm);
  module.bytes(8);
  while (module.left > 0) {
    const id = module.u8();
    const section = new ByteReader(module.bytes(module.u32()));
    if (id !== 10) continue;
    for (let count = section.count(); count > 0; count--) {
      const body = new ByteReader(section.bytes(section.u32()));
      bodies.set(index++, new Map([...readInstructions(body)].map(({ offset, opcode }) => [offset, opcode])));
    }
  }
  return bodies;
}

const BRANCHES = [0x04, 0x0d];

describe('branch hints', () => {
  test('are on branches, in compiled programs of all kinds, and the engine takes them', () => {
    for (const program of readPrograms().filter((_, index) => index % 8 === 0)) {
      const { wasm, map } = compile(readProgramModule(program), { optLevel: 0 });
      const hinted = readHints(wasm);
      for (const { opcode } of [...hinted.values()].flat()) expect(BRANCHES).toContain(opcode);
      expect(hinted.size).toBeGreaterThanOrEqual(map.functions.length);
    }
  });

  test('are given where a rare global decides', () => {
    const wat = `(module
      (global $other (mut i32) (i32.const 0)) (global $mvvm.unwinding (mut i32) (i32.const 0))
      (func
        (if (global.get $mvvm.unwinding) (then (return)))
        (if (global.get $other) (then (return)))))`;
    const bytes = withModule(wat, (module) => Uint8Array.from(module.emitBinary()));
    expect(hintsOf(bytes)).toEqual([]);
    expect(hintsOf(addBranchHints(bytes))).toEqual(['if unlikely']);
  });

  test.each([
    ['(if (local.get $n) (then (call $mvvm.fire)))', ['if unlikely']],
    ['(if (local.get $n) (then (nop)) (else (call $mvvm.fire)))', ['if likely']],
    ['(if (local.get $n) (then (call $other)))', []],
    ['(if (local.get $n) (then (if (local.get $n) (then (call $mvvm.fire)))))', ['if unlikely']],
    ['(block $past (br_if $past (local.get $n)) (call $mvvm.fire))', ['br_if likely']],
    ['(block $out (block $slow (br_if $slow (local.get $n)) (br $out)) (call $mvvm.fire))', ['br_if unlikely']],
    [
      '(if (local.get $n) (then (if (global.get $mvvm.resume) (then (nop))) (call $mvvm.fire)))',
      ['if unlikely', 'if unlikely'],
    ],
    ['(loop $again (br_if $again (local.get $n)))', []],
    ['(loop $again (br_if $again (local.get $n)) (call $mvvm.fire))', ['br_if likely']],
    ['(loop $again (loop $head (br_if $head (local.get $n))) (call $mvvm.fire) (br $again))', ['br_if likely']],
    ['(if (local.get $n) (then (call $mvvm.fire)) (else (call $mvvm.fire)))', []],
  ])('of %s: %j', (code, hints) => {
    const wat = `(module
      (global $mvvm.resume (mut i32) (i32.const 0))
      (func $other) (func $mvvm.fire)
      (func (param $n i32) ${code}))`;
    const bytes = withModule(wat, (module) => Uint8Array.from(module.emitBinary()));
    expect(hintsOf(addBranchHints(bytes))).toEqual(hints);
  });

  test('are not added twice, nor to what is no module', () => {
    const [program] = readPrograms();
    if (program === undefined) throw new Error('there are programs');
    const { wasm } = compile(readProgramModule(program), { optLevel: 0 });
    expect(addBranchHints(wasm)).toBe(wasm);
    const text = new Uint8Array([1, 2, 3]);
    expect(addBranchHints(text)).toBe(text);
  });
});
