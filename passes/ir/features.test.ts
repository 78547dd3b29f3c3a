import { describe, expect, test } from '@jest/globals';
import { compile } from '../../compiler/index.js';
import { assemble, withModule } from '../../fixtures/passes/wat-module.js';
import { policies } from '../../runtime/abi/index.js';
import { api } from './binaryen.js';
import { findFeatures } from './features.js';

const { Features } = api;
const bulk = Features.BulkMemory | Features.BulkMemoryOpt;
const references = bulk | Features.ReferenceTypes;

const featuresOf = (fields: string): number => withModule(`(module ${fields})`, findFeatures);

/** Each feature with modules that need it and nothing else. */
const needs: readonly (readonly [string, number, readonly string[]])[] = [
  [
    'mutable globals',
    Features.MutableGlobals,
    ['(global (export "g") (mut i32) (i32.const 0))', '(import "e" "g" (global (mut f64)))'],
  ],
  [
    'saturating conversions',
    Features.NontrappingFPToInt,
    ['(func (param f64) (drop (i32.trunc_sat_f64_u (local.get 0))))'],
  ],
  [
    'sign extension',
    Features.SignExt,
    [
      '(func (param i32) (drop (i32.extend16_s (local.get 0))))',
      '(func (param i64) (drop (i64.extend32_s (local.get 0))))',
    ],
  ],
  [
    'vectors',
    Features.SIMD128,
    [
      '(func (local v128))',
      '(import "e" "f" (func (result v128)))',
      '(global v128 (v128.const i64x2 0 0))',
      '(func (drop (i8x16.extract_lane_s 0 (v128.const i64x2 0 0))))',
      '(memory 1) (func (drop (v128.load8x8_s (i32.const 0))))',
    ],
  ],
  [
    'relaxed vectors',
    Features.SIMD128 | Features.RelaxedSIMD,
    ['(func (param v128) (drop (i32x4.relaxed_trunc_f32x4_s (local.get 0))))'],
  ],
  [
    'bulk memory',
    bulk,
    [
      '(memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1)))',
      '(memory 1) (func (memory.copy (i32.const 0) (i32.const 0) (i32.const 1)))',
      '(memory 1) (data "passive")',
      '(memory 1) (data $d (i32.const 0) "x") (func (data.drop $d))',
    ],
  ],
  [
    'references',
    references,
    [
      '(func (param externref))',
      '(func (local funcref))',
      '(import "e" "f" (func (result externref)))',
      '(global (mut funcref) (ref.null func))',
      '(table 1 externref)',
      '(table 1 funcref) (table 1 funcref)',
      '(table 1 funcref) (func (drop (table.get 0 (i32.const 0))))',
      '(table 1 funcref) (func (drop (table.size 0)))',
      '(func $f) (elem declare func $f) (func (drop (ref.func $f)))',
      '(table 2 funcref) (func $f) (elem (table 0) (i32.const 0) funcref (ref.func $f) (ref.null func))',
    ],
  ],
  [
    'several results',
    Features.Multivalue,
    [
      '(func (result i32 i32) (unreachable))',
      '(import "e" "f" (func (result i32 f64)))',
      '(func (block $b (result i32 i32) (br $b (i32.const 0) (i32.const 1))) (tuple.drop 2))',
    ],
  ],
  ['tail calls', Features.TailCall, ['(func $f (return_call $f))']],
  [
    'atomic operations',
    Features.Atomics,
    [
      '(memory 1 1 shared)',
      '(import "e" "m" (memory 1 2 shared))',
      '(memory 1 1 shared) (func (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))',
      '(memory 1 1 shared) (func (drop (i32.atomic.load (i32.const 0))))',
      '(memory 1 1 shared) (func (i32.atomic.store (i32.const 0) (i32.const 1)))',
      '(func (atomic.fence))',
    ],
  ],
  ['exceptions', Features.ExceptionHandling, ['(tag $e) (func (throw $e))', '(tag $e) (func (try (do) (catch $e)))']],
];

const mvp = `
  (import "env" "f" (func $imported (param i32) (result i32)))
  (type $t (func (param i32) (result i32)))
  (memory (export "memory") 1 4)
  (data (i32.const 0) "text")
  (table (export "table") 2 funcref)
  (elem (i32.const 0) $f $imported)
  (global $g (mut i64) (i64.const 1))
  (global (export "constant") f64 (f64.const 1))
  (func $f (export "run") (type $t)
    (local $d f64)
    (block $out (result i32)
      (loop $l
        (global.set $g (i64.add (global.get $g) (i64.extend_i32_u (local.get 0))))
        (f32.store (i32.const 8) (f32.demote_f64 (local.get $d)))
        (drop (br_if $out (call $imported (local.get 0)) (i32.lt_s (local.get 0) (i32.const 2))))
        (drop (call_indirect (type $t) (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))
        (drop (memory.grow (i32.const 0)))
        (br_if $l (local.tee 0 (i32.trunc_f64_s (local.get $d)))))
      (select (i32.const 1) (i32.const 2) (local.get 0))))`;

describe.each(needs)('%s', (_feature, bits, modules) => {
  test.each(modules)('%s', (fields) => {
    expect(featuresOf(fields)).toBe(bits);
    // And with these alone Binaryen takes the module for valid.
    withModule(`(module ${fields})`, (module) => module.validate());
  });
});

describe('a module that needs none', () => {
  test('has none', () => {
    expect(featuresOf(mvp)).toBe(0);
    expect(featuresOf('')).toBe(0);
  });

  test.each(policies)('needs none more when it is compiled under policy %s', (policy) => {
    // Saving and restoring the module's own state needs a global that the host does not see, and no feature.
    const { wasm } = compile(assemble(`(module ${mvp})`), { policies: [policy], optLevel: 3 });
    const compiled = api.readBinary(wasm);
    try {
      compiled.setFeatures(Features.MVP);
      expect(compiled.validate()).toBe(1);
    } finally {
      compiled.dispose();
    }
  });
});

test('an output needs what its input needed', () => {
  const fields = '(memory 1) (func (export "run") (param v128) (result v128) (loop $l (br $l)))';
  const { wasm } = compile(assemble(`(module ${fields})`), { optLevel: 3 });
  const compiled = api.readBinary(wasm);
  try {
    compiled.setFeatures(Features.SIMD128);
    expect(compiled.validate()).toBe(1);
  } finally {
    compiled.dispose();
  }
});
