/** Things that a host must be able to do for programs to be stopped and continued here: each is done once, in small. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { loadProgram, restoreGuest, startGuest } from '../../../runtime/index.js';
import { readSnapshotFile, writeSnapshotFile } from '../../../runtime/node/index.js';
import { compile } from '../../compile.js';
import { findWasmOpt } from '../../optimiser/wasm-opt.js';

export interface CheckFacts {
  readonly name: string;
  readonly works: boolean;
  /** Whether nothing works without it. */
  readonly needed: boolean;
  /** What that means, or what went wrong. */
  readonly detail: string;
}

/** `(func (export "sum") (param $n i32) (result i32) ...)`: adds n, n - 1, ..., 1 in memory, with a loop. */
const sum =
  '0061736d0100000001060160017f017f0302010005030100010707010373756d00000a22012000034041004100280200' +
  '20006a360200200041016b22000d000b41002802000b';

const rounds = 1000;
const sumOfRounds = 500_500;
const stopAt = 500;

/** Long enough for a thread to start on any machine that can be worked with. */
const PATIENCE_MS = 10_000;

export async function runChecks(): Promise<CheckFacts[]> {
  return [
    await check('stop and continue', true, roundTrip),
    await check('snapshot files', true, snapshotFile),
    await check('requests to a busy program', true, requestFromThread),
    { name: 'granted directories', needed: false, ...directories() },
    { name: 'another wasm-opt', needed: false, ...otherOptimiser() },
  ];
}

async function check(name: string, needed: boolean, work: () => Promise<string>): Promise<CheckFacts> {
  try {
    return { name, needed, works: true, detail: await work() };
  } catch (error) {
    return { name, needed, works: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

/** Compiles, stops at a stable point, continues in a fresh instance. */
async function roundTrip(): Promise<string> {
  const program = await loadSum();
  const stopped = startGuest(program, { entry: 'sum', entryArguments: [rounds] }).run({ atPoint: stopAt });
  if (stopped.kind !== 'checkpointed') throw new Error(`it did not stop: ${stopped.kind}`);
  const outcome = restoreGuest(program, stopped.snapshot).run();
  if (outcome.kind !== 'finished' || outcome.results[0] !== sumOfRounds) throw new Error('the result is wrong');
  return 'a program was compiled, stopped in its loop and continued, with the right result';
}

async function snapshotFile(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'mvvm-doctor-'));
  try {
    const file = join(folder, 'sum.snap');
    const program = await loadSum();
    const stopped = startGuest(program, { entry: 'sum', entryArguments: [rounds] }).run({ atPoint: stopAt });
    if (stopped.kind !== 'checkpointed') throw new Error(`it did not stop: ${stopped.kind}`);
    writeSnapshotFile(file, stopped.snapshot);
    readSnapshotFile(file);
    return `one was written to ${tmpdir()}, synced, and read back`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function loadSum(): ReturnType<typeof loadProgram> {
  const { wasm } = compile(new Uint8Array(Buffer.from(sum, 'hex')), { policies: ['loop-checkpoint'] });
  return loadProgram(wasm);
}

/** A guest has a thread to itself, and is asked to stop through a word in shared memory. */
async function requestFromThread(): Promise<string> {
  const word = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Worker(
    "const { workerData } = require('node:worker_threads'); Atomics.store(workerData, 0, 1); Atomics.notify(workerData, 0);",
    { eval: true, workerData: word },
  );
  const answer = Atomics.wait(word, 0, 0, PATIENCE_MS);
  await thread.terminate();
  if (answer === 'timed-out') throw new Error('a second thread did not write to shared memory');
  return 'threads and shared memory: signals, timers and --checkpoint-every stop it in the middle of its work';
}

function directories(): { readonly works: boolean; readonly detail: string } {
  return process.platform === 'linux' && existsSync('/proc/self/fd')
    ? { works: true, detail: 'held by descriptors: nothing that others rename or link leads a program out of them' }
    : { works: false, detail: 'known by their paths: keep other programs from writing to the folders above them' };
}

function otherOptimiser(): { readonly works: boolean; readonly detail: string } {
  try {
    const { path, version } = findWasmOpt(true);
    const kind = isScript(path) ? 'a script, no faster than ours' : 'native, faster than ours';
    return { works: true, detail: `${path}, version ${version}, ${kind}; mvvmc --wasm-opt uses it` };
  } catch {
    return { works: false, detail: 'none found; mvvmc uses its own' };
  }
}

/** The wasm-opt of the npm package binaryen is JavaScript; npm puts it on the PATH of scripts. */
function isScript(path: string): boolean {
  return readFileSync(path).subarray(0, 2).toString() === '#!' || /\.[cm]?js$/.test(path);
}
