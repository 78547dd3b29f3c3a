import { describe, expect, test } from '@jest/globals';
import { readProgramModule, readPrograms } from '../fixtures/manifest.js';
import { withModule } from '../fixtures/passes/wat-module.js';
import { readInstructions } from '../passes/index.js';
import { ByteReader } from '../runtime/abi/index.js';
import { addBranchHints } from './branch-hints.js';
import { compile } from './compile.js';

/** For each function with hints, by its index in the module: opcodes of the hinted instructions. */
function hintedOpcodes(wasm: Uint8Array): Map<number, number[]> {
  const [section] = WebAssembly.Module.customSections(
    new WebAssembly.Module(Uint8Array.from(wasm)),
    'metadata.code.branch_hint',
  );
  if (section === undefined) return new Map();
  const bodies = readBodies(wasm);
  const hints = new ByteReader(new Uint8Array(section));
  const entries = hints.list(() => {
    const index = hints.u32();
    const offsets = hints.list(() => {
      const offset = hints.u32();
      expect([hints.u32(), hints.u8()]).toEqual([1, 0]);
      return offset;
    });
    return { index, offsets };
  });
  hints.end();
  return new Map(
    entries.map(({ index, offsets }) => [index, offsets.map((offset) => bodies.get(index)?.get(offset) ?? Number.NaN)]),
  );
}

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
      const hinted = hintedOpcodes(wasm);
      for (const opcode of [...hinted.values()].flat()) expect(BRANCHES).toContain(opcode);
      expect(hinted.size).toBeGreaterThanOrEqual(map.functions.length);
    }
  });

  test('are given where a rare global or a counter that has come to zero decides, and nowhere else', () => {
    const wat = `(module
      (global $other (mut i32) (i32.const 0)) (global $mvvm.unwinding (mut i32) (i32.const 0))
      (func (param $n i32)
        (if (global.get $mvvm.unwinding) (then (return)))
        (if (global.get $other) (then (return)))
        (block $out
          (loop $again
            (br_if $out (i32.eqz (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
            (br_if $out (i32.eqz (local.get $n)))
            (br_if $again (local.get $n))))))`;
    const bytes = withModule(wat, (module) => Uint8Array.from(module.emitBinary()));
    expect(hintedOpcodes(bytes)).toEqual(new Map());
    expect([...hintedOpcodes(addBranchHints(bytes)).values()]).toEqual([[0x04, 0x0d]]);
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
