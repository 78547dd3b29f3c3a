/**
 * Standard input for a guest in a worker thread. A blocking read there could be interrupted by nothing, not even by the
 * end of the process. So the main thread, which waits for input along with everything else, passes it on:
 *
 *     worker: the mailbox is empty -> asks for more, and waits on the wake word
 *     main:   gets the next chunk -> fills the mailbox, changes the wake word
 *
 * It reads only when it is asked: what the guest does not want stays for whoever reads that input next. What was taken
 * of it and the guest did not read yet, a snapshot can take along (`taken`).
 */

import type { Readable } from 'node:stream';
import type { MessagePort } from 'node:worker_threads';
import { MessageChannel } from 'node:worker_threads';
import type { InputStream } from '../wasi/index.js';

/** What the worker is given, in its `workerData`; `port` must be in the transfer list. */
export interface SharedInput {
  readonly words: SharedArrayBuffer;
  readonly bytes: SharedArrayBuffer;
  readonly port: MessagePort;
  readonly isTty: boolean;
}

/** Words of the mailbox. */
const stateWord = 0;
const lengthWord = 1;
const offsetWord = 2;

/** Values of the state word. */
const empty = 0;
const asked = 1;
const filled = 2;
const ended = 3;

/** The size of the largest chunk that Node reads at once, so that a chunk is either all in the mailbox or not read. */
const mailboxSize = 65_536;

/**
 * The main thread's end.
 *
 * @param wake a shared word that is changed, with a notification, whenever there is something new; the word on which the
 *   guest's thread sleeps
 * @returns what to hand to the worker, and a function that stops passing on and lets the process end
 */
export function shareInput(
  stream: Readable & { readonly isTTY?: boolean },
  wake: Int32Array,
): { readonly input: SharedInput; readonly stop: () => void } {
  const words = new SharedArrayBuffer(12);
  const bytes = new SharedArrayBuffer(mailboxSize);
  const { port1, port2 } = new MessageChannel();
  const state = new Int32Array(words);
  const box = new Uint8Array(bytes);
  let waiting = new Uint8Array(0);
  let isOver = false;
  stream.pause();

  const deliver = (): void => {
    if (Atomics.load(state, stateWord) !== asked) return;
    if (waiting.length === 0 && !isOver) return;
    const part = waiting.subarray(0, mailboxSize);
    box.set(part);
    waiting = waiting.subarray(part.length);
    Atomics.store(state, lengthWord, part.length);
    Atomics.store(state, offsetWord, 0);
    Atomics.store(state, stateWord, part.length > 0 ? filled : ended);
    Atomics.add(wake, 0, 1);
    Atomics.notify(wake, 0);
  };
  const onData = (chunk: Uint8Array): void => {
    stream.pause();
    waiting = new Uint8Array(Buffer.concat([waiting, chunk]));
    deliver();
  };
  const onEnd = (): void => {
    isOver = true;
    deliver();
  };
  const onAsked = (): void => {
    deliver();
    if (Atomics.load(state, stateWord) === asked) stream.resume();
  };

  stream.on('data', onData).on('end', onEnd).on('error', onEnd);
  stream.pause();
  port1.on('message', onAsked);
  port1.unref();
  const stop = (): void => {
    stream.off('data', onData).off('end', onEnd).off('error', onEnd);
    stream.pause();
    port1.close();
  };
  return { input: { words, bytes, port: port2, isTty: stream.isTTY === true }, stop };
}

/** An input that can say what it has taken from its source that nobody read yet. */
export interface TakingInputStream extends InputStream {
  taken(): Uint8Array;
}

/** The worker's end. Its reads never block; wait by stdio-wait.ts. */
export function sharedInput({ words, bytes, port, isTty }: SharedInput): TakingInputStream {
  const state = new Int32Array(words);
  const box = new Uint8Array(bytes);
  const ready = (): number | 'end' | 'would-block' => {
    if (Atomics.compareExchange(state, stateWord, empty, asked) === empty) port.postMessage('more');
    switch (Atomics.load(state, stateWord)) {
      case filled:
        return Atomics.load(state, lengthWord) - Atomics.load(state, offsetWord);
      case ended:
        return 'end';
      default:
        return 'would-block';
    }
  };
  return {
    isTty,
    ready,
    read(buffer) {
      const there = ready();
      if (there === 'end') return 0;
      if (there === 'would-block') return there;
      const from = Atomics.load(state, offsetWord);
      const part = box.subarray(from, from + Math.min(there, buffer.length));
      buffer.set(part);
      Atomics.store(state, offsetWord, from + part.length);
      if (part.length === there) Atomics.store(state, stateWord, empty);
      return part.length;
    },
    taken() {
      if (Atomics.load(state, stateWord) !== filled) return new Uint8Array(0);
      return box.slice(Atomics.load(state, offsetWord), Atomics.load(state, lengthWord));
    },
  };
}
