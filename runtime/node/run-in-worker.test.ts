/** Guests in worker threads: requests reach them wherever they are, and files hold what they were. */

import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { handInstrumented } from '../../fixtures/hand-instrumented/index.js';
import { decodeSnapshot, loadProgram, type Snapshot } from '../index.js';
import { type CheckpointReport, runInWorker, type WorkerOutcome } from './index.js';

const program = await loadProgram(await handInstrumented({ standalone: true }));
const folder = await mkdtemp(join(tmpdir(), 'mvvm-worker-'));
afterAll(() => rm(folder, { recursive: true }));

/** Long enough to be caught in the middle, however fast the machine. */
const busy = { entry: 'run', entryArguments: ['7000', '3'] };

function expectReport(outcome: WorkerOutcome): CheckpointReport {
  if (outcome.kind !== 'checkpointed') throw new Error(`expected a checkpoint, got ${outcome.kind}`);
  return outcome.report;
}

function snapshotOf({ snapshot }: CheckpointReport): Snapshot {
  if (snapshot === undefined) throw new Error('the report has no snapshot');
  return decodeSnapshot(snapshot);
}

const expected = await runInWorker(program, busy).done;

describe('a busy guest', () => {
  test('is stopped by a request and continues in another thread', async () => {
    const run = runInWorker(program, busy);
    const report = await run.checkpoint();
    const outcome = await run.done;
    expect(expectReport(outcome)).toEqual(report);
    const continued = await runInWorker(program, { from: snapshotOf(expectReport(outcome)) }).done;
    expect(continued).toMatchObject({ kind: 'finished', results: [Reflect.get(expected, 'results')[0]] });
  });

  test('goes on after a checkpoint when that is wanted', async () => {
    const reports: CheckpointReport[] = [];
    const run = runInWorker(program, { ...busy, onCheckpoint: (report) => reports.push(report) });
    const first = await run.checkpoint({ goOn: true });
    const outcome = await run.done;
    expect(first).toMatchObject({ goesOn: true });
    expect(reports[0]).toEqual(first);
    expect(outcome).toMatchObject({ kind: 'finished', results: [Reflect.get(expected, 'results')[0]] });
    expect(outcome.statistics.checkpoints).toHaveLength(reports.length);
  });

  test('can be terminated', async () => {
    const run = runInWorker(program, { ...busy, entryArguments: ['8000', '3'] });
    const failure = run.done.catch((error: unknown) => error);
    await run.terminate();
    expect(await failure).toMatchObject({ code: 'terminated' });
    expect(await run.checkpoint()).toBeUndefined();
  });
});

describe('a checkpoint', () => {
  test('at the n-th point is the same every time', async () => {
    const stop = async (): Promise<Snapshot> =>
      snapshotOf(expectReport(await runInWorker(program, { ...busy, atPoint: 12_345 }).done));
    const [one, other] = [await stop(), await stop()];
    expect(one.stablePoints).toBe(12_345);
    expect(other.words).toEqual(one.words);
    expect(Buffer.compare(other.memories[0]?.bytes ?? Buffer.alloc(1), one.memories[0]?.bytes ?? Buffer.alloc(2))).toBe(
      0,
    );
  });

  test('goes to a file, from which the guest continues', async () => {
    const snapshotFile = join(folder, 'run.snap');
    const outcome = await runInWorker(program, { ...busy, snapshotFile, atEntry: { function: 1, count: 100 } }).done;
    expect(expectReport(outcome)).toMatchObject({ file: snapshotFile, goesOn: false });
    const continued = await runInWorker(program, { from: snapshotFile }).done;
    expect(continued).toMatchObject({ kind: 'finished', results: [Reflect.get(expected, 'results')[0]] });
  });

  test('that cannot be written is reported, and the program goes on', async () => {
    const reasons: string[] = [];
    const outcome = await runInWorker(program, {
      ...busy,
      snapshotFile: join(folder, 'missing', 'run.snap'),
      atPoint: 1000,
      onRefused: (reason) => reasons.push(reason),
    }).done;
    expect(outcome).toMatchObject({ kind: 'finished', results: [Reflect.get(expected, 'results')[0]] });
    expect(reasons).toEqual([expect.stringContaining('run.snap')]);
    expect(existsSync(join(folder, 'missing'))).toBe(false);
  });

  test('asked for after the end is answered by nothing', async () => {
    const run = runInWorker(program, { entry: 'divide', entryArguments: [7, 2] });
    await run.done;
    expect(await run.checkpoint()).toBeUndefined();
  });
});

describe('a deep stack', () => {
  const deep = { entry: 'fall', entryArguments: [300_000] };

  test('is left and re-entered', async () => {
    const report = expectReport(await runInWorker(program, { ...deep, atPoint: 250_000 }).done);
    const continued = await runInWorker(program, { from: snapshotOf(report) }).done;
    expect(continued).toMatchObject({ kind: 'finished', results: [300_000] });
  });

  test('that does not fit this host is an error of its own', async () => {
    const report = expectReport(await runInWorker(program, { ...deep, atPoint: 250_000 }).done);
    const failure = runInWorker(program, { from: snapshotOf(report), stackSize: 2 }).done;
    await expect(failure).rejects.toMatchObject({ code: 'stack-too-small' });
  });

  test('that overflows is a trap of the program', async () => {
    const outcome = await runInWorker(program, { entry: 'fall', entryArguments: [300_000], stackSize: 2 }).done;
    expect(outcome).toMatchObject({ kind: 'trapped', error: { name: 'RangeError' } });
  });
});

describe('what is refused in the other thread', () => {
  test('arrives with its code and hint', async () => {
    await expect(runInWorker(program, { entry: 'nope' }).done).rejects.toMatchObject({
      name: 'GuestError',
      code: 'no-such-function',
      hint: expect.stringContaining('fall'),
    });
    await expect(runInWorker(program, { from: join(folder, 'nope.snap') }).done).rejects.toMatchObject({
      code: 'snapshot/io',
    });
    const directories = [{ guest: 'x', host: join(folder, 'nope') }];
    await expect(runInWorker(program, { directories }).done).rejects.toMatchObject({ code: 'bad-directory' });
  });
});

test('input given as bytes is read to its end', async () => {
  const outcome = await runInWorker(program, { input: Uint8Array.of(1, 2, 3) }).done;
  expect(outcome).toMatchObject({ kind: 'finished', exitStatus: 0 });
});
