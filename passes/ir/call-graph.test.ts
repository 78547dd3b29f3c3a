import { describe, expect, test } from '@jest/globals';
import { findExpression, withModule } from '../../fixtures/passes/wat-module.js';
import { CompileError, type Diagnostic } from '../diagnostics.js';
import { CallGraph } from './call-graph.js';
import { kindOf } from './expressions.js';

const imports = `
  (import "mvvm" "point.loop" (func $mvvm.point.loop))
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "env" "other" (func $other))`;
const types = '(type $t (func)) (type $u (func (param i32)))';
const mark = '(call $mvvm.point.loop)';
const read = '(drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))';
const write = '(drop (call $fd_write (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))';
const indirect = '(call_indirect (type $t) (i32.const 0))';

const graphOf = <T>(fields: string, use: (graph: CallGraph) => T): T =>
  withModule(`(module ${types} ${imports} ${fields})`, (module) => use(new CallGraph(module)));

/** Names of the functions that can be stopped. */
const instrumented = (fields: string): string =>
  graphOf(fields, (graph) =>
    graph
      .functions()
      .map(({ name }) => name)
      .filter((name) => graph.isInstrumented(name))
      .join(' '),
  );

function refusalOf(fields: string): Diagnostic {
  try {
    graphOf(fields, () => undefined);
  } catch (error) {
    if (error instanceof CompileError) return error.diagnostic;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a function can be stopped', () => {
  test.each([
    ['if it has a mark', `(func $f ${mark}) (func $g)`, 'f'],
    [
      'if it calls one that can, however far away',
      `(func $a (call $b)) (func $b (call $c)) (func $c ${mark}) (func $d)`,
      'a b c',
    ],
    ['if it calls an import that can block', `(func $f ${read}) (func $g (call $f)) (func $h)`, 'f g'],
    ['not if it calls other imports', `(func $f ${write} (call $other))`, ''],
    ['not for being called by one that can', `(func $f ${mark} (call $g)) (func $g)`, 'f'],
    ['in a recursion', `(func $a (call $b)) (func $b (call $a) (call $c)) (func $c ${mark})`, 'a b c'],
    [
      'if it calls through a table one that can',
      `(table 1 funcref) (elem (i32.const 0) $g) (func $f ${indirect}) (func $g ${mark})`,
      'f g',
    ],
    [
      'if it calls through a table one whose reference a global brings there',
      `(table 1 funcref) (global $r funcref (ref.func $g)) (func $f (table.set (i32.const 0) (global.get $r)) ${indirect}) (func $g ${mark})`,
      'f g',
    ],
    [
      'not if those that it can reach through a table cannot',
      `(table 1 funcref) (elem (i32.const 0) $g) (func $f ${indirect}) (func $g) (func $h ${mark})`,
      'h',
    ],
    [
      'not for a call of another type',
      `(table 1 funcref) (elem (i32.const 0) $g) (func $f ${indirect}) (func $g (type $u) ${mark})`,
      'g',
    ],
    [
      'if a reference to one that can is made in code',
      `(table 1 funcref) (elem declare func $g)
       (func $f (table.set (i32.const 0) (ref.func $g)) ${indirect}) (func $g ${mark})`,
      'f g',
    ],
    [
      'if a host can put an exported one into the table',
      `(table (export "t") 1 funcref) (func $f ${indirect}) (func $g (export "g") ${mark}) (func $h ${mark})`,
      'f g h',
    ],
    [
      'if the table is imported and an exported one can be put there',
      `(import "e" "t" (table 1 funcref)) (func $f ${indirect}) (func $g (export "g") ${mark})`,
      'f g',
    ],
    [
      'not for an export where nobody outside has the table',
      `(table 1 funcref) (func $f ${indirect}) (func $g (export "g") ${mark})`,
      'g',
    ],
  ])('%s', (_case, fields, names) => {
    expect(instrumented(fields)).toBe(names);
  });
});

describe('a call', () => {
  const kindOfCall = (fields: string, kind: 'Call' | 'CallIndirect'): string =>
    withModule(`(module ${types} ${imports} ${fields})`, (module) => {
      const [fn] = module.definedFunctions();
      const call = fn === undefined ? undefined : findExpression(module.body(fn), (expr) => kindOf(expr) === kind);
      if (call === undefined) throw new Error('there is no such call');
      return new CallGraph(module).callKind(call);
    });

  test.each([
    ['to a function that can be stopped has a frame', `(func (call $g)) (func $g ${mark})`, 'Call', 'frame'],
    ['to another function is plain', '(func (call $g)) (func $g)', 'Call', 'plain'],
    ['to an import that can block is made again', `(func ${read})`, 'Call', 'host'],
    ['to another import is plain', '(func (call $other))', 'Call', 'plain'],
    [
      'through a table to one of which some can be stopped has a frame',
      `(table 2 funcref) (elem (i32.const 0) $g $h) (func ${indirect}) (func $g) (func $h ${mark})`,
      'CallIndirect',
      'frame',
    ],
    [
      'through a table to others is plain',
      `(table 1 funcref) (elem (i32.const 0) $g) (func ${indirect}) (func $g)`,
      'CallIndirect',
      'plain',
    ],
  ] as const)('%s', (_case, fields, expression, kind) => {
    expect(kindOfCall(fields, expression)).toBe(kind);
  });
});

test('functions of which a reference can exist are listed in the order of their definition', () => {
  const fields = `(table 3 funcref) (elem (i32.const 0) $c $a $c)
    (func $a) (func $b (drop (ref.func $d))) (func $c) (func $d) (func $e) (elem declare func $d)`;
  expect(graphOf(fields, (graph) => graph.referable.map(({ name }) => name))).toEqual(['a', 'c', 'd']);
});

test.each(['$d', '$"a b"', String.raw`$"\c3\a9"`, String.raw`$"a\22b"`, String.raw`$\\c3`])(
  '%s is listed where tables alone are filled with it',
  (name) => {
    const fields = `(table 3 funcref) (func ${name}) (func (table.fill 0 (i32.const 0) (ref.func ${name}) (i32.const 1)))`;
    graphOf(fields, (graph) => expect(graph.referable[0]).toBe(graph.functions()[0]));
  },
);

test('functions in passive segments are listed, and marks never', () => {
  const wat = `(module (import "mvvm" "point.loop" (func $mvvm.point.loop))
    (table 1 funcref) (elem $e func $a) (func $a (call $mvvm.point.loop)))`;
  withModule(wat, (module) => {
    expect(new CallGraph(module).referable.map(({ name }) => name)).toEqual(['a']);
  });
});

describe('the graph', () => {
  test('puts a type between all callers and all callees of indirect calls', () => {
    const fields = `(table 2 funcref) (elem (i32.const 0) $b $c) (func $a ${indirect} (call $other)) (func $b) (func $c)`;
    graphOf(fields, (graph) => {
      const [direct, type] = graph.successors('a');
      expect(direct).toBe('other');
      expect(graph.successors(type ?? '')).toEqual(['b', 'c']);
    });
  });
});

describe('refuses', () => {
  test('an import that can block in a table', () => {
    const fields = '(table 1 funcref) (elem (i32.const 0) $fd_read)';
    expect(refusalOf(fields)).toMatchObject({
      code: 'unsupported/blocking-import-in-table',
      message: 'import "fd_read" can block and is called through a table, where it cannot be interrupted',
    });
  });

  test('an instruction that it cannot look into', () => {
    const fields = '(func $f (param (ref $t)) (call_ref $t (local.get 0)))';
    expect(refusalOf(fields)).toMatchObject({ code: 'unsupported/instruction', where: 'function f' });
  });
});
