import { expect, test } from '@jest/globals';
import { withModule } from '../../fixtures/passes/wat-module.js';
import { CallGraph } from './call-graph.js';
import { findRecursive } from './recursion.js';

test.each([
  ['none calls itself', '(func $a (call $b) (call $c)) (func $b (call $c)) (func $c)', ''],
  ['one does', '(func $a (call $b)) (func $b (call $b))', 'b'],
  ['two call each other', '(func $a (call $b)) (func $b (call $c)) (func $c (call $b) (call $d)) (func $d)', 'b c'],
  [
    'cycles share a function',
    '(func $a (call $b)) (func $b (call $c) (call $a)) (func $c (call $d)) (func $d (call $b))',
    'a b c d',
  ],
  [
    'by way of a table',
    '(elem (i32.const 0) $b) (func $a (call_indirect (type $t) (i32.const 0))) (func $b (call $a)) (func $c (call $a))',
    'a b',
  ],
])('can be on the stack more than once: %s', (_, functions, recursive) => {
  const found = withModule(`(module (type $t (func)) (table 1 funcref) ${functions})`, (module) =>
    findRecursive(new CallGraph(module)),
  );
  expect([...found].sort().join(' ')).toBe(recursive);
});
