/**
 * What came to WebAssembly after its first version, around stable points. Each program is compared with itself: compiled
 * under every policy, undisturbed, and stopped and restored at each of its stable points. What the engine at hand does not
 * know is skipped, and counted as that.
 */

import { describe, test } from '@jest/globals';
import { everyPolicy, expectSameAtEveryPoint } from '../fixtures/passes/every-policy.js';
import { noteImport, say, sayFunction } from '../fixtures/passes/say.js';
import { subjectOf } from '../fixtures/passes/subject.js';

/** A program that runs `body` with local $x = 3 and returns what it leaves. */
function program(body: string, fields = '(memory (export "memory") 1)'): string {
  return `(module
    ${noteImport}
    ${fields}
    ${sayFunction()}
    (func $test (param $x i32) (result i32) ${body})
    (func (export "run") (result i32) (call $test (i32.const 3))))`;
}

const programs: readonly (readonly [name: string, body: string, fields?: string])[] = [
  [
    'sign extension',
    `(i32.add (i32.extend8_s ${say(200)}) (i32.wrap_i64 (i64.extend32_s (i64.extend16_s (i64.extend_i32_u ${say(40000)})))))`,
  ],
  [
    'saturating conversions',
    `(i32.xor (i32.trunc_sat_f32_s (f32.mul (f32.convert_i32_s ${say(3)}) (f32.const 1e30)))
      (i32.wrap_i64 (i64.trunc_sat_f64_u (f64.mul (f64.convert_i32_s ${say(-3)}) (f64.const nan)))))`,
  ],
  [
    'blocks and loops with parameters',
    `${say(5)}
    (loop $l (param i32) (result i32)
      (block $b (param i32) (result i32 i32) ${say(1)})
      i32.sub
      local.tee $x
      local.get $x
      ${say(2)}
      i32.gt_s
      br_if $l)
    (if (param i32) (result i32) ${say(1)} (then ${say(7)} i32.add) (else))`,
  ],
  [
    'passive and declarative segments',
    `(memory.init $d (i32.const 4) (i32.const 0) ${say(4)})
    (data.drop $d)
    (drop ${say(1)})
    (memory.init $e ${say(9)} (i32.const 1) (i32.const 2))
    (i32.add (i32.load (i32.const 4)) (i32.load (i32.const 8)))`,
    `(memory (export "memory") 1) (data $d "\\01\\02\\03\\04\\05") (data $e "\\11\\12\\13")
    (table 3 funcref) (elem $p func $say $say) (elem declare func $say)`,
  ],
  [
    'bulk operations on tables',
    `(table.init $t $p (i32.const 1) (i32.const 0) ${say(2)})
    (drop ${say(1)})
    (table.copy $u $t (i32.const 0) (i32.const 1) (i32.const 2))
    (table.fill $t (i32.const 0) (ref.func $say) ${say(1)})
    (drop ${say(1)})
    (i32.add (call_indirect $u (type $unary) ${say(6)} (i32.const 1)) (call_indirect $t (type $unary) ${say(8)} (i32.const 0)))`,
    `(memory (export "memory") 1) (type $unary (func (param i32) (result i32)))
    (table $t 4 funcref) (table $u 4 funcref) (elem $p func $say $twice) (elem declare func $say)
    (func $twice (param i32) (result i32) (i32.mul (call $say (local.get 0)) (i32.const 2)))`,
  ],
  [
    'vectors',
    `(local $v v128)
    (local.set $v (i32x4.splat ${say(7)}))
    (local.set $v (i32x4.add (local.get $v) (i32x4.replace_lane 2 (local.get $v) ${say(9)})))
    (v128.store (i32.const 16) (local.get $v))
    (i32.add (i32x4.extract_lane 2 (v128.load (i32.const 16))) (i32.mul (i8x16.bitmask (local.get $v)) ${say(1)}))`,
  ],
  [
    'relaxed vectors',
    `(local $v v128)
    (local.set $v (f32x4.splat (f32.convert_i32_s ${say(7)})))
    (local.set $v (f32x4.relaxed_madd (local.get $v) (f32x4.splat (f32.convert_i32_s ${say(2)})) (local.get $v)))
    (i32.trunc_f32_s (f32x4.extract_lane 1 (local.get $v)))`,
  ],
  [
    'atomics on a shared memory, by one thread',
    `(i32.atomic.store (i32.const 8) ${say(5)})
    (drop (i32.atomic.rmw.add (i32.const 8) ${say(6)}))
    (drop (i32.atomic.rmw.cmpxchg (i32.const 8) ${say(11)} ${say(40)}))
    (atomic.fence)
    (i32.add (i32.atomic.load (i32.const 8)) (memory.atomic.notify (i32.const 8) ${say(1)}))`,
    '(memory (export "memory") 1 2 shared)',
  ],
  [
    'extended constants',
    `(i32.add (global.get $g) ${say(1)})`,
    '(memory (export "memory") 1) (global $g i32 (i32.add (i32.const 40) (i32.const 1)))',
  ],
  [
    'several memories',
    `(i32.store $a (i32.const 8) ${say(5)})
    (i32.store $b (i32.const 8) (i32.add (i32.load $a (i32.const 8)) ${say(6)}))
    (drop (memory.grow $b ${say(1)}))
    (memory.copy $a $b (i32.const 16) (i32.const 8) ${say(4)})
    (i32.store $b (i32.const 70000) ${say(9)})
    (i32.add (i32.load $a (i32.const 16)) (i32.add (memory.size $b) (i32.load $b (i32.const 70000))))`,
    '(memory $a (export "memory") 1) (memory $b 1 3)',
  ],
  [
    'several memories, of which some are not used',
    `(i32.store $b (i32.const 8) ${say(5)}) (i32.add (i32.load $b (i32.const 8)) ${say(6)})`,
    '(memory $a 1) (memory $b 1 3) (memory 1)',
  ],
  [
    'a memory with 64-bit addresses',
    `(i32.store (i64.extend_i32_u ${say(8)}) ${say(5)})
    (drop (memory.grow (i64.extend_i32_u ${say(1)})))
    (memory.fill (i64.const 70000) ${say(2)} (i64.extend_i32_u ${say(3)}))
    (i32.add (i32.load (i64.const 8)) (i32.add (i32.wrap_i64 (memory.size)) (i32.load (i64.const 70000))))`,
    '(memory (export "memory") i64 1 3)',
  ],
];

describe.each(programs)('%s', (name, body, fields) => {
  const subject = subjectOf(name, program(body, fields));
  const known = WebAssembly.validate(Uint8Array.from(subject.wasm));

  const hasOneMemory = !/\$b 1 3|i64 1 3/.test(fields ?? '');
  (known ? test : test.skip).each(
    everyPolicy.filter(({ policy }) => hasOneMemory || policy !== 'loop-dirty-checkpoint'),
  )('$policy', (configuration) => expectSameAtEveryPoint(subject, configuration, 4));
});
