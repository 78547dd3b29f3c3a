import { once } from 'node:events';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from '@jest/globals';
import { type InputStream, inputOf, type Socket } from '../wasi/index.js';
import { threadWait } from './stdio-wait.js';

const silent: InputStream = { isTty: false, ready: () => 'would-block', read: () => 'would-block' };
const newWake = (): Int32Array => new Int32Array(new SharedArrayBuffer(12));

const refuse = (): never => {
  throw new Error('a wait only looks');
};
const socket: Socket = {
  type: 'socket-stream',
  ready: () => 'would-block',
  writable: () => false,
  accept: refuse,
  receive: refuse,
  send: refuse,
  shutdown: refuse,
  close: refuse,
};

describe('a thread that waits', () => {
  test('does so for the time it was told', () => {
    const wait = threadWait({ wake: newWake(), stdin: silent, isInterrupted: () => false });
    const before = process.hrtime.bigint();
    expect(wait({ stdin: true, sockets: [], timeout: 30_000_000n })).toBe('timeout');
    expect(process.hrtime.bigint() - before).toBeGreaterThanOrEqual(30_000_000n);
  });

  test('does not wait when there is input, when a checkpoint is wanted, or for no time', () => {
    const ready = threadWait({ wake: newWake(), stdin: inputOf(Uint8Array.of(1)), isInterrupted: () => false });
    expect(ready({ stdin: true, sockets: [] })).toBe('ready');
    expect(ready({ stdin: false, sockets: [], timeout: 0n })).toBe('timeout');
    const wanted = threadWait({ wake: newWake(), stdin: inputOf(Uint8Array.of(1)), isInterrupted: () => true });
    expect(wanted({ stdin: true, sockets: [] })).toBe('interrupted');
    expect(wanted({ stdin: false, sockets: [], timeout: 0n })).toBe('interrupted');
  });

  test('is not left when the call must end', () => {
    const wait = threadWait({ wake: newWake(), stdin: silent, isInterrupted: () => true });
    expect(wait({ stdin: false, sockets: [], timeout: 1n, mustEnd: true })).toBe('timeout');
  });

  test('sleeps until there is news of sockets that can say so', () => {
    const news = [false, true];
    const takeNews = (): boolean => {
      // Whoever has news changes the word, so that the wait looks again.
      Atomics.add(wake, 0, 1);
      return news.shift() ?? false;
    };
    const wake = newWake();
    const wait = threadWait({ wake, stdin: silent, isInterrupted: () => false, takeNews });
    const told = { ...socket, notifies: true };
    expect(wait({ stdin: false, sockets: [told] })).toBe('ready');
    expect(news).toEqual([]);
    expect(wait({ stdin: false, sockets: [told], timeout: 0n })).toBe('timeout');
  });

  test('looks at sockets every now and then', () => {
    const wait = threadWait({ wake: newWake(), stdin: silent, isInterrupted: () => false });
    expect(wait({ stdin: false, sockets: [socket] })).toBe('ready');
    expect(wait({ stdin: false, sockets: [socket], timeout: 0n })).toBe('timeout');
  });
});

/** Words of the shared memory: the wake word, whether there is input, whether a checkpoint is wanted. */
function startWaiting(wake: Int32Array): Worker {
  const url = JSON.stringify(pathToFileURL(resolve('dist/runtime/node/stdio-wait.js')).href);
  const source = `
    import { parentPort, workerData } from 'node:worker_threads';
    import { threadWait } from ${url};
    const stdin = { isTty: false, ready: () => (Atomics.load(workerData, 1) === 1 ? 1 : 'would-block') };
    const wait = threadWait({ wake: workerData, stdin, isInterrupted: () => Atomics.load(workerData, 2) === 1 });
    parentPort.postMessage('waiting');
    parentPort.postMessage(wait({ stdin: true, sockets: [] }));`;
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), { workerData: wake });
}

describe('a thread that waits for no certain time', () => {
  test.each([
    ['ready', 1],
    ['interrupted', 2],
  ])('is woken by another thread (%s)', async (outcome, word) => {
    const wake = newWake();
    const worker = startWaiting(wake);
    expect(await once(worker, 'message')).toEqual(['waiting']);
    const done = once(worker, 'message');
    Atomics.store(wake, word, 1);
    Atomics.add(wake, 0, 1);
    Atomics.notify(wake, 0);
    expect(await done).toEqual([outcome]);
    await worker.terminate();
  });
});
