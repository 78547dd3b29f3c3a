import { describe, expect, test } from '@jest/globals';
import { assemble } from '../../../fixtures/passes/wat-module.js';
import { formatWat, parseWat } from '../../../fixtures/passes/wat-text.js';
import { IrModule } from '../module.js';

/** A module that was translated when it was read, and back when it was written: the body of its function $f. */
function thereAndBack(fields: string): string {
  const module = IrModule.read(assemble(`(module (tag $e (param i32)) (tag $n) ${fields})`));
  try {
    const text = formatWat(parseWat(module.emitText())).replace(/\s+/g, ' ');
    return text.slice(text.indexOf('(func $f'));
  } finally {
    module.dispose();
  }
}

const count = (text: string, what: string): number => text.split(what).length - 1;

describe('there and back', () => {
  test('an exception that is kept needs no second throw', () => {
    const text = thereAndBack(`(func $f (export "f") (local $x exnref)
      (block $l (result i32 exnref) (try_table (catch_ref $e $l) (throw $e (i32.const 1))) (return))
      (local.set $x) (drop) (throw_ref (local.get $x)))`);
    expect(count(text, '(try_table (catch_ref $e ')).toBe(1);
    expect(count(text, '(try_table')).toBe(1);
    expect(count(text, '(throw_ref')).toBe(1);
  });

  test('only clauses that are asked for the exception itself take it', () => {
    const text = thereAndBack(`(func $f (export "f")
      (block $a (result i32)
        (block $b (result exnref)
          (try_table (catch $e $a) (catch_all_ref $b) (throw $n)) (return))
        (throw_ref))
      (drop))`);
    expect(text).toMatch(/\(try_table \(catch \$e \$\w+\) \(catch_all_ref \$\w+\)/);
  });

  test('branches out of a body and out of clauses, by table as well, go where they went', () => {
    const text = thereAndBack(`(func $f (export "f") (param i32) (result i32)
      (block $out (result i32)
        (block $a
          (block $b
            (try_table (catch_all $b) (br_table $a $b $a (local.get 0))))
          (br $out (i32.const 1)))
        (i32.const 2)))`);
    expect(text).toMatch(/\(br_table \$(\w+) \$(?!\1)(\w+) \$\1 /);
  });

  test('a function without exceptions is as it was', () => {
    const other = '(func $f (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))';
    const text = thereAndBack(`${other} (func $g (export "g") (throw_ref (ref.null exn)))`);
    expect(text).toContain('(func $f (param $0 i32) (result i32) (i32.add (local.get $0) (i32.const 1)))');
  });

  test('functions keep the numbers that they had, and their names', () => {
    const module = IrModule.read(
      assemble(
        `(module (import "m" "b" (func $b)) (func $f (export "f") (throw_ref (ref.null exn))) (func $g (call $b)))`,
      ),
    );
    const numbers = module.functions().map(({ name, originalIndex }) => [name, originalIndex]);
    module.dispose();
    expect(numbers.filter(([, index]) => index !== -1)).toEqual([
      ['b', 0],
      ['f', 1],
      ['g', 2],
    ]);
  });
});
