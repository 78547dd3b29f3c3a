/** Extensions of WebAssembly, each with a small module that needs it: what an engine and the compiler know is tried, not looked up. */

import { compile } from '../../compile.js';

export interface FeatureFacts {
  readonly name: string;
  /** Whether this engine accepts it. */
  readonly engine: boolean;
  /** Whether `mvvmc` compiles it (docs/limits.md has the conditions). */
  readonly compiler: boolean;
}

/** In hexadecimal; above each what it is, inside `(module ...)`. */
const modules: Readonly<Record<string, string>> = {
  // (func (result i32 i32) (i32.const 0) (i32.const 0))
  'multi-value': '0061736d010000000106016000027f7f030201000a08010600410041000b',
  // (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 0)))
  'bulk memory': '0061736d010000000104016000000302010005030100010a0d010b00410041004100fc0b000b',
  // (table 1 externref) (func (param externref) (table.set 0 (i32.const 0) (local.get 0)))
  'reference types': '0061736d0100000001050160016f00030201000404016f00010a0a0108004100200026000b',
  // (func (drop (i8x16.popcnt (v128.const i64x2 0 0))))
  SIMD: '0061736d01000000010401600000030201000a19011700fd0c00000000000000000000000000000000fd621a0b',
  // (func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))
  'relaxed SIMD': '0061736d0100000001060160017b017b030201000a0b01090020002000fd80020b',
  // (func $f (return_call $f))
  'tail calls': '0061736d01000000010401600000030201000a0601040012000b',
  // (memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 0))))
  'shared memory': '0061736d01000000010401600000030201000504010301010a0b0109004100fe1002001a0b',
  // (global i32 (i32.add (i32.const 1) (i32.const 2)))
  'extended constants': '0061736d010000000609017f00410141026a0b',
  // (tag $t) (func (try (do (throw $t)) (catch_all)))
  'exceptions, older form': '0061736d01000000010401600000030201000d030100000a0a01080006400800190b0b',
  // (tag $t) (func (block $b (try_table (catch_all $b) (throw $t))))
  'exceptions, newer form': '0061736d01000000010401600000030201000d030100000a10010e0002401f4001020008000b000b0b',
  // (type $s (struct)) (func (drop (struct.new $s)))
  'garbage collection': '0061736d010000000106025f00600000030201010a08010600fb01001a0b',
  // (memory 1) (memory 1)
  'several memories': '0061736d0100000005050200010001',
  // (memory i64 1)
  '64-bit memory': '0061736d010000000503010401',
};

export function findFeatures(): FeatureFacts[] {
  return Object.entries(modules).map(([name, text]) => {
    const bytes = new Uint8Array(Buffer.from(text, 'hex'));
    return { name, engine: WebAssembly.validate(bytes), compiler: isCompiled(bytes) };
  });
}

function isCompiled(bytes: Uint8Array): boolean {
  try {
    compile(bytes, { optLevel: 0 });
    return true;
  } catch {
    return false;
  }
}
