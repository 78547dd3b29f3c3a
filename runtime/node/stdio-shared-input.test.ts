import { once } from 'node:events';
import { resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from '@jest/globals';
import { type SharedInput, sharedInput, shareInput } from './stdio-shared-input.js';

const newWake = (): Int32Array => new Int32Array(new SharedArrayBuffer(8));

/** Resolves when the wake word is no longer this. */
async function wakeAfter(wake: Int32Array, seen: number): Promise<void> {
  while (Atomics.load(wake, 0) === seen) await new Promise((next) => setImmediate(next));
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes.slice());

describe('input that is passed to another thread', () => {
  test('is not touched before it is asked for, and then one chunk at a time', async () => {
    const stream = new PassThrough();
    const wake = newWake();
    const { input, stop } = shareInput(stream, wake);
    const guest = sharedInput(input);
    stream.write(bytesOf('first'));
    stream.write(bytesOf('second'));
    expect(stream.readableLength).toBe(11);

    expect(guest.ready()).toBe('would-block');
    await wakeAfter(wake, 0);
    expect([guest.ready(), stream.readableLength]).toEqual([5, 6]);
    const buffer = new Uint8Array(3);
    expect([guest.read(buffer), textOf(buffer), textOf(guest.taken())]).toEqual([3, 'fir', 'st']);
    expect([guest.read(buffer), textOf(buffer.subarray(0, 2)), guest.taken()]).toEqual([2, 'st', new Uint8Array(0)]);
    expect([guest.read(buffer), guest.read(buffer)]).toEqual(['would-block', 'would-block']);
    await wakeAfter(wake, 1);
    expect(guest.ready()).toBe(6);
    stop();
  });

  test('ends when its source ends, also by an error', async () => {
    for (const finish of [
      (stream: PassThrough) => stream.end(),
      (stream: PassThrough) => stream.destroy(new Error('gone')),
    ]) {
      const stream = new PassThrough();
      const wake = newWake();
      const { input, stop } = shareInput(stream, wake);
      const guest = sharedInput(input);
      finish(stream);
      expect(guest.ready()).toBe('would-block');
      await wakeAfter(wake, 0);
      expect([guest.ready(), guest.read(new Uint8Array(4))]).toEqual(['end', 0]);
      stop();
    }
  });
});

/** What runs in the worker: reads to the end, asleep while there is nothing, or until it is interrupted. */
function workerSource(): string {
  const url = (name: string): string => JSON.stringify(pathToFileURL(resolve('dist/runtime/node', name)).href);
  return `
    import { parentPort, workerData } from 'node:worker_threads';
    import { sharedInput } from ${url('stdio-shared-input.js')};
    import { threadWait } from ${url('stdio-wait.js')};
    const { input, wake } = workerData;
    const stdin = sharedInput(input);
    const isInterrupted = () => Atomics.load(wake, 1) === 1;
    const wait = threadWait({ wake, stdin, isInterrupted });
    const buffer = new Uint8Array(1000);
    let text = '';
    parentPort.postMessage('started');
    for (;;) {
      const length = stdin.read(buffer);
      if (length === 0) break;
      if (typeof length === 'number') { text += new TextDecoder().decode(buffer.slice(0, length)); continue; }
      if (wait({ stdin: true, sockets: [] }) === 'interrupted') { text += ' interrupted'; break; }
    }
    parentPort.postMessage(text);`;
}

function startWorker(input: SharedInput, wake: Int32Array): Worker {
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(workerSource())}`), {
    workerData: { input, wake },
    transferList: [input.port],
  });
}

describe('a thread that waits for input', () => {
  test('sleeps until it comes, and gets all of it', async () => {
    const stream = new PassThrough();
    const wake = newWake();
    const { input, stop } = shareInput(stream, wake);
    const worker = startWorker(input, wake);
    await once(worker, 'message');
    const done = once(worker, 'message');
    let expected = '';
    for (let piece = 0; piece < 50; piece++) {
      const text = `${piece}`.repeat(piece * 40);
      expected += text;
      stream.write(bytesOf(text));
      await new Promise((next) => setImmediate(next));
    }
    stream.end();
    expect(await done).toEqual([expected]);
    stop();
    await worker.terminate();
  });

  test('is woken when a checkpoint is wanted', async () => {
    const wake = newWake();
    const { input, stop } = shareInput(new PassThrough(), wake);
    const worker = startWorker(input, wake);
    await once(worker, 'message');
    const done = once(worker, 'message');
    Atomics.store(wake, 1, 1);
    Atomics.add(wake, 0, 1);
    Atomics.notify(wake, 0);
    expect(await done).toEqual([' interrupted']);
    stop();
    await worker.terminate();
  });
});
