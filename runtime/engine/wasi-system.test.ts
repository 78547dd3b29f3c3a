/** Guests on WASI: exits that cannot be caught, calls that are left and made again, input that is not lost. */

import { describe, expect, test } from '@jest/globals';
import binaryen from 'binaryen';
import { expectSnapshot } from '../../fixtures/hand-instrumented/host.js';
import { handInstrumented } from '../../fixtures/hand-instrumented/index.js';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from '../snapshot/index.js';
import { outputTo, type WaitOutcome } from '../wasi/index.js';
import type { LookingInputStream } from './input-taken.js';
import { startPlain } from './plain.js';
import { compileModule, loadProgram } from './program.js';
import { restoreGuest, startGuest } from './start.js';
import { type WasiSetUp, wasiSystem } from './wasi-system.js';

const program = await loadProgram(await handInstrumented({ standalone: true }));

async function plain(text: string): Promise<{ module: WebAssembly.Module; bytes: Uint8Array }> {
  const ir = binaryen.parseText(text);
  ir.setFeatures(binaryen.Features.ExceptionHandling | binaryen.Features.Multivalue);
  const bytes = ir.emitBinary();
  ir.dispose();
  return { ...(await compileModule(bytes)), bytes };
}

/** Input that comes in pieces; what is not there yet is waited for. */
function pieces(...input: readonly (readonly number[])[]): {
  readonly stdin: LookingInputStream;
  readonly arrive: () => void;
} {
  const coming = [...input];
  let here: number[] = [];
  return {
    arrive: () => {
      here = [...here, ...(coming.shift() ?? [])];
    },
    stdin: {
      isTty: false,
      ready: () => here.length || (coming.length > 0 ? 'would-block' : 'end'),
      read(buffer) {
        if (here.length === 0) return coming.length > 0 ? 'would-block' : 0;
        const part = here.slice(0, buffer.length);
        buffer.set(part);
        here = here.slice(part.length);
        return part.length;
      },
      taken: () => Uint8Array.from(here),
    },
  };
}

const nowhere = outputTo(() => undefined);
const stdioOf = (stdin: LookingInputStream): NonNullable<WasiSetUp['stdio']> => ({
  stdin,
  stdout: nowhere,
  stderr: nowhere,
});

/** As if it had been written to a file. */
function stored(snapshot: Snapshot): Snapshot {
  return decodeSnapshot(new Uint8Array(Buffer.concat(Array.from(encodeSnapshot(snapshot), (chunk) => chunk.slice()))));
}

function sumOf(exports: WebAssembly.Exports): unknown {
  const { sum } = exports;
  return typeof sum === 'function' ? sum() : undefined;
}

describe('an exit', () => {
  test('gives the status, and cannot be caught by the program', async () => {
    const { module, bytes } = await plain(`
      (module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)
        (func (export "_start")
          (try (do (call $exit (i32.const 42))) (catch_all (unreachable)))))`);
    const outcome = startPlain(module, bytes, { system: wasiSystem() }).run();
    expect(outcome).toEqual({ kind: 'finished', results: [], exitStatus: 42 });
  });
});

describe('a plain module', () => {
  test('has its entry found by the types in its bytes', async () => {
    const { module, bytes } = await plain(`
      (module
        (import "host" "offset" (func $offset (result i64)))
        (func (export "add") (param i64 i32) (result i64 i32)
          (i64.add (local.get 0) (call $offset)) (local.get 1)))`);
    const imports = { host: { offset: () => 2n ** 62n } };
    const guest = startPlain(module, bytes, { imports, entry: 'add', entryArguments: ['1', '-5'] });
    expect(guest.run()).toEqual({ kind: 'finished', results: [2n ** 62n + 1n, -5], exitStatus: 0 });
  });

  test('is set up first when it is a reactor', async () => {
    const { module, bytes } = await plain(`
      (module
        (global $ready (mut i32) (i32.const 0))
        (func (export "_initialize") (global.set $ready (i32.const 7)))
        (func (export "get") (result i32) (global.get $ready)))`);
    expect(startPlain(module, bytes, { entry: 'get' }).run()).toMatchObject({ results: [7] });
  });
});

describe('a call that waits', () => {
  test('is left for a checkpoint and made again, here and elsewhere', () => {
    const input = pieces([1, 2], [3, 4], [5]);
    let waits = 0;
    const wait = (): WaitOutcome => {
      waits += 1;
      if (waits === 2) return 'interrupted';
      input.arrive();
      return 'ready';
    };
    const guest = startGuest(program, { system: wasiSystem({ stdio: stdioOf(input.stdin), wait }) });
    const snapshot = stored(expectSnapshot(guest.run({ requested: () => waits === 2 })));
    expect(snapshot.point).toBe(11);

    const elsewhere = pieces([30, 40], [50]);
    const moved = restoreGuest(program, snapshot, {
      system: wasiSystem({
        stdio: stdioOf(elsewhere.stdin),
        wait: () => {
          elsewhere.arrive();
          return 'ready';
        },
      }),
    });
    expect(moved.run()).toMatchObject({ kind: 'finished', exitStatus: 0 });
    expect(sumOf(moved.exports)).toBe(123n);

    expect(guest.run({})).toMatchObject({ kind: 'finished', exitStatus: 0 });
    expect(sumOf(guest.exports)).toBe(15n);
  });

  test('goes on waiting when the checkpoint is refused', () => {
    const reasons: string[] = [];
    const input = pieces([1], [2]);
    let refusals = 0;
    const system = wasiSystem({
      stdio: stdioOf(input.stdin),
      wait: () => {
        if (refusals === 0) return 'interrupted';
        input.arrive();
        return 'ready';
      },
    });
    const guest = startGuest(program, {
      system: (hooks, saved) => ({
        ...system(hooks, saved),
        save: () => {
          throw new Error('descriptor 9 is a socket');
        },
      }),
      onRefused: (reason) => {
        refusals += 1;
        reasons.push(reason);
      },
    });
    expect(guest.run({ requested: () => refusals === 0 })).toMatchObject({ kind: 'finished' });
    expect(reasons).toEqual(['descriptor 9 is a socket']);
    expect(sumOf(guest.exports)).toBe(3n);
  });
});

describe('input that was taken and not read', () => {
  test('goes with the snapshot, before any other', () => {
    const input = pieces([1, 2, 3, 4]);
    input.arrive();
    const guest = startGuest(program, { system: wasiSystem({ stdio: stdioOf(input.stdin) }) });
    // 5 points of the start function, the entry, and two loops with a read of one byte each.
    const first = stored(expectSnapshot(guest.run({ atPoint: 8 })));
    expect(first.wasi).toMatchObject({ inputTaken: [2, 3, 4] });

    const second = restoreGuest(program, first, { system: wasiSystem({ stdio: stdioOf(pieces().stdin) }) });
    const again = stored(expectSnapshot(second.run({ atPoint: 1 })));
    expect(again.wasi).toMatchObject({ inputTaken: [3, 4] });

    const third = restoreGuest(program, again, { system: wasiSystem({ stdio: stdioOf(pieces().stdin) }) });
    expect(third.run()).toMatchObject({ kind: 'finished' });
    expect(sumOf(third.exports)).toBe(10n);
  });
});

describe('the environment of a restored program', () => {
  test('is its own, with what is set now in place of the old', () => {
    const guest = startGuest(program, { system: wasiSystem({ args: ['p', 'x'], env: ['A=1', 'B=2'] }) });
    const snapshot = stored(expectSnapshot(guest.run({ atPoint: 1 })));
    const moved = restoreGuest(program, snapshot, { system: wasiSystem({ env: ['B=3', 'C=4'] }) });
    expect(expectSnapshot(moved.run({ atPoint: 1 })).wasi).toMatchObject({
      wasi: { args: ['p', 'x'], env: ['A=1', 'B=3', 'C=4'] },
    });
  });
});
