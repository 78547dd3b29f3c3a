/** What the engine refuses, by code, and what it leaves unharmed. */

import { describe, expect, test } from '@jest/globals';
import binaryen from 'binaryen';
import { expectSnapshot, hostOf } from '../../fixtures/hand-instrumented/host.js';
import { handInstrumented } from '../../fixtures/hand-instrumented/index.js';
import type { Snapshot } from '../snapshot/index.js';
import type { Guest } from './guest.js';
import type { StopConditions } from './poll-control.js';
import { findFunction, loadProgram } from './program.js';
import { restoreGuest, type StartOptions, startGuest } from './start.js';

const bytes = await handInstrumented();
const program = await loadProgram(bytes);

/** The `code` of what is thrown. */
function codeOf(attempt: () => unknown): unknown {
  try {
    attempt();
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error ? error.code : error;
  }
  return 'nothing was thrown';
}

async function loadCode(module: Uint8Array): Promise<unknown> {
  return loadProgram(module).then(
    () => 'nothing was thrown',
    (error: unknown) =>
      codeOf(() => {
        throw error;
      }),
  );
}

function assemble(text: string): Uint8Array {
  const module = binaryen.parseText(text);
  const binary = module.emitBinary();
  module.dispose();
  return binary;
}

describe('loading refuses', () => {
  test.each([
    ['an empty file', new Uint8Array()],
    ['text', Uint8Array.from(Buffer.from('#!/bin/sh and more'))],
    ['a truncated module', bytes.slice(0, 100)],
    ['a component', Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0)],
  ])('%s', async (_what, module) => {
    expect(await loadCode(module)).toBe('not-wasm');
  });

  test('a module that mvvmc has not compiled, and says how to compile it', async () => {
    const plain = assemble('(module (func (export "_start")))');
    expect(await loadCode(plain)).toBe('not-compiled');
    await expect(loadProgram(plain)).rejects.toMatchObject({ hint: expect.stringContaining('mvvmc -o') });
  });

  test('a damaged stable map', async () => {
    const damaged = bytes.slice();
    const name = Buffer.from('mvvm.map');
    const at = Buffer.from(damaged).indexOf(name) + name.length;
    damaged[at] = 0xff;
    expect(await loadCode(damaged)).toBe('damaged-section');
  });

  test('a stable map that is there twice', async () => {
    const name = Buffer.from('mvvm.map');
    const again = Uint8Array.of(0, name.length + 1, name.length, ...name);
    expect(await loadCode(Uint8Array.of(...bytes, ...again))).toBe('damaged-section');
  });
});

describe('starting refuses', () => {
  const start = (options: StartOptions) => (): unknown => startGuest(program, { ...hostOf(), ...options });

  test('imports that nobody has, all by name', () => {
    const { system } = hostOf();
    expect(() => startGuest(program, system === undefined ? {} : { system })).toThrow(/host\.tick \(function\)/);
    expect(codeOf(() => startGuest(program))).toBe('unknown-import');
    expect(() => startGuest(program)).toThrow(/wasi_snapshot_preview1\.fd_read.*host\.tick/);
  });

  test('an import of another kind than the module wants', () => {
    expect(codeOf(start({ imports: { host: { tick: 7 } } }))).toBe('unknown-import');
  });

  test('an embedder that poses as the engine', () => {
    const pose = { mvvm: { poll: () => 0 }, host: { tick: () => undefined } };
    const guest = startGuest(program, { ...hostOf(), imports: pose, entry: 'fall', entryArguments: [3] });
    expect(guest.run()).toMatchObject({ kind: 'finished', results: [3] });
  });

  test('entries that do not exist, and names those that do', () => {
    expect(codeOf(start({ entry: 'nope' }))).toBe('no-such-function');
    expect(start({ entry: 'nope' })).toThrow(expect.objectContaining({ hint: expect.stringContaining('fall') }));
    expect(codeOf(start({ entry: 'memory' }))).toBe('no-such-function');
  });

  test.each([
    ['too few', []],
    ['too many', [1, 2, 3]],
    ['a fraction for an i64', [1, 1.5]],
    ['a text for an i32', ['abc', '1']],
    ['a number out of range', ['4294967296', '1']],
    ['a bigint for an i32', [1n, 1n]],
  ])('arguments: %s', (_what, entryArguments) => {
    expect(codeOf(start({ entry: 'run', entryArguments }))).toBe('wrong-arguments');
  });

  test('functions to stop in that do not exist', () => {
    expect(findFunction(program, 'square')).toBe(1);
    expect(findFunction(program, '3')).toBe(1);
    expect(codeOf(() => findFunction(program, 'negate'))).toBe('no-such-function');
    expect(codeOf(() => findFunction(program, '99'))).toBe('no-such-function');
  });
});

describe('restoring refuses', () => {
  const stopped = (): Snapshot =>
    expectSnapshot(startGuest(program, { ...hostOf(), entry: 'run', entryArguments: [5, 1n] }).run({ atPoint: 12 }));
  const restore = (change: Partial<Snapshot>) => (): unknown =>
    restoreGuest(program, { ...stopped(), ...change }, hostOf());

  test('the snapshot of another module, before anything is opened', () => {
    let opened = 0;
    const module = { ...stopped().module, hash: 'f'.repeat(64) };
    const system = (): never => {
      opened += 1;
      throw new Error('opened');
    };
    expect(codeOf(() => restoreGuest(program, { ...stopped(), module }, { ...hostOf(), system }))).toBe(
      'snapshot/other-module',
    );
    expect(opened).toBe(0);
  });

  test('frames, tables and memories that do not fit', () => {
    expect(codeOf(restore({ words: stopped().words.slice(1) }))).toBe('snapshot/frames');
    expect(codeOf(restore({ tables: [] }))).toBe('snapshot/state');
    expect(codeOf(restore({ tables: [Int32Array.of(0, 1, 2)] }))).toBe('snapshot/state');
    expect(codeOf(restore({ memories: [] }))).toBe('snapshot/state');
    expect(codeOf(restore({ entry: 'nope' }))).toBe('snapshot/state');
  });

  test('more memory than the module may have', () => {
    const memories = [{ pages: 5, bytes: new Uint8Array(5 * 65_536) }];
    expect(codeOf(restore({ memories }))).toBe('memory-limit');
  });

  test('less memory or a smaller table than the module has', () => {
    expect(codeOf(restore({ memories: [{ pages: 0, bytes: new Uint8Array() }] }))).toBe('bad-state');
    expect(codeOf(restore({ tables: [Int32Array.of(0)] }))).toBe('bad-state');
    expect(codeOf(restore({ tables: [new Int32Array(5).fill(-1)] }))).toBe('bad-state');
  });
});

describe('a checkpoint that cannot be taken', () => {
  test('is reported, and the program goes on unharmed', () => {
    const reasons: string[] = [];
    const ticks: number[] = [];
    const guest = startGuest(program, {
      ...hostOf(ticks),
      entry: 'run',
      entryArguments: [4, 0n],
      onRefused: (reason) => reasons.push(reason),
      imports: {
        host: {
          tick: (round: number) => {
            ticks.push(round);
            const table = guest.exports['mvvm.table.0'];
            const foreign = guest.exports['divide'];
            // The third element is never called; what it holds cannot be named in a snapshot.
            if (table instanceof WebAssembly.Table && table.length > 2) table.set(2, foreign);
          },
        },
      },
    });
    const undisturbed = startGuest(program, { ...hostOf(), entry: 'run', entryArguments: [4, 0n] }).run();
    expect(guest.run({ atPoint: 14 })).toEqual(undisturbed);
    expect(reasons).toEqual([expect.stringMatching(/element 2 of table 0/)]);
    expect(ticks).toEqual([0, 1, 2, 3]);
  });

  test('waits while a host function has called back into the guest', () => {
    const guest = startGuest(program, {
      ...hostOf(),
      entry: 'run',
      entryArguments: [3, 0n],
      imports: {
        host: {
          tick: () => {
            const { fall } = guest.exports;
            expect(typeof fall === 'function' && fall(50)).toBe(50);
          },
        },
      },
    });
    // Points 8 to 58 are passed inside the call-back.
    const snapshot = expectSnapshot(guest.run({ atPoint: 20 }));
    expect(snapshot.stablePoints).toBe(59);
    expect(program.map.functions[1]?.firstPoint).toBe(snapshot.point);
    expect(guest.run()).toMatchObject({ kind: 'finished' });
  });
});

describe('an export that the embedder calls itself', () => {
  const fall = ({ exports }: Guest, depth: number): unknown =>
    typeof exports['fall'] === 'function' && exports['fall'](depth);

  test.each<[string, StopConditions]>([
    ['a count', { atPoint: 10 }],
    ['an entry', { atEntry: { function: 3, count: 10 } }],
  ])('is not stopped by %s that the run did not reach', (_what, conditions) => {
    const guest = startGuest(program, { ...hostOf(), entry: 'fall', entryArguments: [3] });
    expect(guest.run(conditions)).toMatchObject({ kind: 'finished', results: [3] });
    const { stablePoints } = guest.statistics;
    expect(fall(guest, 50)).toBe(50);
    expect(fall(guest, 50)).toBe(50);
    expect(guest.statistics.stablePoints).toBe(stablePoints);
  });

  test('is not stopped by a request that came too late, before or after the end', () => {
    let late = false;
    const guest = startGuest(program, { ...hostOf(), entry: 'fall', entryArguments: [3] });
    expect(guest.run({ requested: () => late })).toMatchObject({ kind: 'finished' });
    late = true;
    guest.requestCheckpoint();
    expect(fall(guest, 5000)).toBe(5000);
  });

  test('is not stopped while the guest is, which goes on as it was', () => {
    const guest = startGuest(program, { ...hostOf(), entry: 'run', entryArguments: [5000, 1n] });
    expect(fall(guest, 50)).toBe(50);
    expect(guest.run({ atPoint: 12 }).kind).toBe('checkpointed');
    guest.requestCheckpoint();
    expect(fall(guest, 5000)).toBe(5000);
    const snapshot = expectSnapshot(guest.run());
    expect(snapshot.stablePoints).toBeGreaterThan(12);
    const undisturbed = startGuest(program, { ...hostOf(), entry: 'run', entryArguments: [5000, 1n] }).run();
    expect(restoreGuest(program, snapshot, hostOf()).run()).toEqual(undisturbed);
  });
});

describe('a guest that is over', () => {
  test('cannot be run again', () => {
    const guest = startGuest(program, { ...hostOf(), entry: 'divide', entryArguments: [7, 2] });
    expect(guest.run()).toEqual({ kind: 'finished', results: [3, 1], exitStatus: 0 });
    expect(codeOf(() => guest.run())).toBe('wrong-use');
  });

  test('has trapped with the reason of the engine', () => {
    const guest = startGuest(program, { ...hostOf(), entry: 'divide', entryArguments: [1, 0] });
    const outcome = guest.run();
    expect(outcome).toMatchObject({ kind: 'trapped', error: { name: 'RuntimeError' } });
    expect(codeOf(() => guest.run())).toBe('wrong-use');
  });

  test('has closed its system, once', () => {
    let closed = 0;
    const { system, imports } = hostOf();
    const guest = startGuest(program, {
      imports: imports ?? {},
      entry: 'fall',
      entryArguments: [1],
      system: (hooks, saved) => {
        if (system === undefined) throw new Error('no system');
        return {
          ...system(hooks, saved),
          close: () => {
            closed += 1;
          },
        };
      },
    });
    guest.run();
    guest.close();
    expect(closed).toBe(1);
  });
});
