/** What a helper thread does for whoever writes, besides hashing. */

import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { sampleSnapshot } from '../../fixtures/snapshots/samples.js';
import { writeSnapshotFile } from './snapshot-file.js';
import { HashRing, RING_BYTES } from './snapshot-file-hash-ring.js';
import { takeHelper } from './snapshot-file-helper.js';
import { nodeFileSystem } from './snapshot-file-system.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mvvm-helper-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const onLinux = process.platform === 'linux' ? test : test.skip;

/** Descriptors of files in this folder, or that were there. */
function openInFolder(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      // The descriptor with which the folder was listed.
      return [];
    }
  });
}

/** Tries again until it succeeds or patience ends, without ever letting the event loop turn. */
function standStillUntil(isSo: () => boolean): boolean {
  const patience = performance.now() + 10_000;
  const still = new Int32Array(new SharedArrayBuffer(4));
  while (!isSo()) {
    if (performance.now() > patience) return false;
    Atomics.wait(still, 0, 0, 1);
  }
  return true;
}

/** Whether that works, and does not for this reason. */
function works(action: () => void, code: string): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (Object(error).code === code) return false;
    throw error;
  }
}

onLinux('what is being made durable early is let go of, though the event loop of whoever writes stands still', () => {
  const path = join(folder, 'job.snap');
  const pages = 40 * 16;
  const snapshot = sampleSnapshot({ memories: [{ pages, bytes: new Uint8Array(pages * 65_536).fill(1) }] });
  let begun = 0;
  const beginSync = (temporary: string): void => {
    begun += 1;
    nodeFileSystem.beginSync(temporary);
  };
  // The helper thread is hardly there yet for the first.
  for (let round = 0; round < 4; round++)
    writeSnapshotFile(path, snapshot, { files: { ...nodeFileSystem, beginSync } });
  expect(begun).toBe(4);
  expect(standStillUntil(() => openInFolder().length === 0)).toBe(true);
});

// Both ends of a pipe see whether the other is there. A pipe cannot be made durable, and is let go of at once.
onLinux(
  'a helper opens what it is to make durable and closes it, though the event loop of whoever writes stands still',
  () => {
    const helper = takeHelper();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    nodeFileSystem.beginSync(pipe);
    let end = -1;
    const open = (): void => {
      end = openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    };
    expect(standStillUntil(() => works(open, 'ENXIO'))).toBe(true);
    expect(standStillUntil(() => !works(() => writeSync(end, 'x'), 'EPIPE'))).toBe(true);
    closeSync(end);
    helper?.release();
  },
);

/** The thread, counting the messages that it gets and the calls of an `fdatasync` that never ends, and the size of its file. */
const watchedThread = `
  import fs from 'node:fs';
  import { syncBuiltinESMExports } from 'node:module';
  import { parentPort, workerData } from 'node:worker_threads';
  const calls = new Int32Array(workerData, ${RING_BYTES});
  fs.fdatasync = (fd) => {
    calls[1] += 1;
    calls[2] = fs.fstatSync(fd).size;
  };
  parentPort.on('message', () => Atomics.add(calls, 0, 1));
  syncBuiltinESMExports();
  await import(${JSON.stringify(new URL('./snapshot-file-helper-thread.js', import.meta.url).href)});
`;

test('it asks the system to make the file durable, and for no second time before that is done', async () => {
  writeFileSync(join(folder, 'file'), 'seventeen letters');
  const shared = new SharedArrayBuffer(RING_BYTES + 12);
  const ring = new HashRing(shared);
  const calls = new Int32Array(shared, RING_BYTES);
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(watchedThread)}`), {
    workerData: shared,
  });
  // Whatever comes of it, nobody waits for this thread.
  thread.unref();
  expect(standStillUntil(() => ring.hasHelper)).toBe(true);
  // What was asked for is done by the time at which the next message is counted.
  for (const name of ['gone', 'file', 'file', 'gone']) thread.postMessage(join(folder, name));
  expect(standStillUntil(() => Atomics.load(calls, 0) === 4)).toBe(true);
  expect([...calls]).toEqual([4, 1, 17]);
  await thread.terminate();
});
