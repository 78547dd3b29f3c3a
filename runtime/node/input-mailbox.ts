/**
 * Standard input for a guest in a worker thread. A blocking read there could be interrupted by nothing, not even by the
 * end of the process. So the main thread reads, and only what the guest asks for: what it does not want stays for
 * whoever reads that input next.
 *
 *     worker: nothing there ──> writes how much it wants, sends a message, sleeps on the wake word
 *     main:   waits until there is input, reads at most that much ──> fills the mailbox, changes the wake word
 *
 * What lies in the mailbox when a checkpoint is taken goes into the snapshot ({@link LookingInputStream.taken}).
 */

import { closeSync, constants, openSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { isatty, ReadStream } from 'node:tty';
import { MessageChannel } from 'node:worker_threads';
import type { LookingInputStream } from '../engine/index.js';
import { controlWords, type GuestInput } from './guest-job.js';

type Mailbox = Extract<GuestInput, { kind: 'mailbox' }>;

const words = { state: 0, wanted: 1, length: 2, offset: 3, count: 4 } as const;
const states = { empty: 0, asked: 1, filled: 2, ended: 3 } as const;

const MAILBOX_BYTES = 65_536;

/** The worker's end. Its reads never block. */
export function mailboxInput(mailbox: Mailbox): LookingInputStream {
  const control = new Int32Array(mailbox.words);
  const box = new Uint8Array(mailbox.bytes);
  const waiting = (): number => Atomics.load(control, words.length) - Atomics.load(control, words.offset);

  const look = (wanted: number): number | 'end' | 'would-block' => {
    if (Atomics.load(control, words.state) === states.empty) {
      Atomics.store(control, words.wanted, wanted);
      Atomics.store(control, words.state, states.asked);
      mailbox.port.postMessage('asked');
    }
    const state = Atomics.load(control, words.state);
    if (state === states.filled) return waiting();
    return state === states.ended ? 'end' : 'would-block';
  };

  return {
    isTty: mailbox.isTty,
    // Whether there is input can be found out by taking some only: a single byte.
    ready: () => look(1),
    read(buffer) {
      if (buffer.length === 0) return 0;
      const there = look(Math.min(buffer.length, MAILBOX_BYTES));
      if (there === 'end') return 0;
      if (there === 'would-block') return there;
      const from = Atomics.load(control, words.offset);
      const part = box.subarray(from, from + Math.min(there, buffer.length));
      buffer.set(part);
      Atomics.store(control, words.offset, from + part.length);
      if (part.length === there) Atomics.store(control, words.state, states.empty);
      return part.length;
    },
    taken() {
      if (Atomics.load(control, words.state) !== states.filled) return new Uint8Array();
      const from = Atomics.load(control, words.offset);
      return box.slice(from, from + waiting());
    },
  };
}

/**
 * The main thread's end: passes descriptor 0 on.
 *
 * @param control the run's control words, whose first is changed whenever there is something new
 * @returns what the worker is given (its port must be transferred), and a function that ends the passing on
 */
export function shareStandardInput(control: Int32Array): { readonly input: Mailbox; readonly stop: () => void } {
  const mailbox = new SharedArrayBuffer(words.count * 4);
  const bytes = new SharedArrayBuffer(MAILBOX_BYTES);
  const state = new Int32Array(mailbox);
  const box = new Uint8Array(bytes);
  const { port1, port2 } = new MessageChannel();

  const deliver = (input: Uint8Array | 'end'): void => {
    if (input !== 'end') {
      box.set(input);
      Atomics.store(state, words.offset, 0);
      Atomics.store(state, words.length, input.length);
    }
    Atomics.store(state, words.state, input === 'end' ? states.ended : states.filled);
    Atomics.add(control, controlWords.wake, 1);
    Atomics.notify(control, controlWords.wake);
  };
  port1.on('message', () => {
    standardInput().read(Atomics.load(state, words.wanted), deliver);
  });
  port1.unref();
  return {
    input: { kind: 'mailbox', words: mailbox, bytes, port: port2, isTty: isatty(0) },
    stop: () => {
      port1.close();
      if (opened !== undefined) opened.stop();
    },
  };
}

/** Descriptor 0 of this process, from which exactly what is wanted is taken. */
interface ExactInput {
  /** Calls back once, with at least one byte, when there is input. */
  read(wanted: number, receive: (input: Uint8Array | 'end') => void): void;
  /** Forgets the pending read. */
  stop(): void;
}

/** There is one descriptor 0, so there is one of these; made when it is first asked for. */
let opened: ExactInput | undefined;

function standardInput(): ExactInput {
  opened ??= openStandardInput();
  return opened;
}

/**
 * The event loop can wait for input only by reading it: so it reads one byte, and what is there beyond that is taken by
 * a read that does not wait.
 */
function openStandardInput(): ExactInput {
  let pending: { readonly wanted: number; readonly receive: (input: Uint8Array | 'end') => void } | undefined;
  let ended = false;
  const onread = {
    buffer: new Uint8Array(1),
    callback: (_count: number, first: Uint8Array): boolean => {
      const asked = pending;
      pending = undefined;
      if (asked !== undefined) asked.receive(withRest(first, asked.wanted, rest));
      return false;
    },
  };
  const isTty = isatty(0);
  const options = { fd: 0, readable: true, writable: false, onread };
  const socket = isTty ? new ReadStream(0, options) : new Socket(options);
  const rest = isTty ? openTerminal() : 0;
  const end = (): void => {
    ended = true;
    pending?.receive('end');
    pending = undefined;
  };
  socket.pause();
  socket.on('end', end).on('error', end).on('close', end);
  return {
    read(wanted, receive) {
      if (ended) {
        receive('end');
        return;
      }
      pending = { wanted, receive };
      socket.ref();
      socket.resume();
    },
    stop() {
      pending = undefined;
      socket.pause();
      socket.unref();
    },
  };
}

function withRest(first: Uint8Array, wanted: number, fd: number | undefined): Uint8Array {
  const input = new Uint8Array(Math.max(1, Math.min(wanted, MAILBOX_BYTES)));
  input.set(first.subarray(0, 1));
  if (fd === undefined || input.length === 1) return input.subarray(0, 1);
  try {
    return input.subarray(0, 1 + readSync(fd, input, 1, input.length - 1, null));
  } catch {
    // Nothing more is there now (EAGAIN). Any other fault shows at the next wait.
    return input.subarray(0, 1);
  }
}

/**
 * A terminal is shared with other processes, which a descriptor of our own that does not wait leaves undisturbed. Where
 * it cannot be had, input comes by single bytes.
 */
function openTerminal(): number | undefined {
  try {
    const fd = openSync('/dev/tty', constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    process.once('exit', () => closeSync(fd));
    return fd;
  } catch {
    return undefined;
  }
}
