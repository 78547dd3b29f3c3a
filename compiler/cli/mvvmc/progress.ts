/**
 * A line on standard error that says what a long compile is doing. Compiling keeps this thread busy from beginning to
 * end, so a second thread draws the line; it learns the stage from shared memory.
 */

import { Worker } from 'node:worker_threads';
import { canDrawLine, clearLine } from '../status-line.js';

/** What the thread is started with. */
export interface ProgressData {
  /** Laid out as {@link cells} says. */
  readonly state: SharedArrayBuffer;
  /** What is compiled, for a person. */
  readonly subject: string;
  /** Of the terminal. */
  readonly columns: number;
}

/**
 * The shared memory, in numbers of 32 bits. `drawing`: 0 nothing was drawn yet, 1 the thread is about to, 2 it has.
 * `running`: 1 until the end. `length`: bytes of the stage's name, which begins at `name`.
 */
export const cells = { drawing: 0, running: 1, length: 2, name: 3 } as const;

const maxNameBytes = 60;

/** How long the end waits for a thread that is drawing just now. */
const maxDrawingMilliseconds = 1000;

export interface Progress {
  /** Names what is going on from now. */
  stage(name: string): void;
  /** Clears the line; nothing is drawn afterwards. */
  end(): void;
}

const silent: Progress = { stage: () => undefined, end: () => undefined };

/** Draws nothing unless standard error is a terminal, and nothing in the first second. */
export function startProgress(subject: string): Progress {
  if (!canDrawLine()) return silent;
  const state = new SharedArrayBuffer(4 * cells.name + maxNameBytes);
  const words = new Int32Array(state, 0, cells.name);
  const name = new Uint8Array(state, 4 * cells.name);
  Atomics.store(words, cells.running, 1);
  const data: ProgressData = { state, subject, columns: process.stderr.columns };
  const thread = new Worker(new URL('./progress-thread.js', import.meta.url), { workerData: data, execArgv: [] });
  // A line less is no reason to fail.
  thread.on('error', () => undefined).unref();
  return {
    stage(text) {
      const bytes = Buffer.from(text).subarray(0, maxNameBytes);
      name.set(bytes);
      Atomics.store(words, cells.length, bytes.length);
    },
    end() {
      // The thread announces that it draws before it looks whether it still may, so one of the two sees the other.
      Atomics.store(words, cells.running, 0);
      Atomics.notify(words, cells.running);
      Atomics.wait(words, cells.drawing, 1, maxDrawingMilliseconds);
      if (Atomics.load(words, cells.drawing) !== 0) process.stderr.write(clearLine);
    },
  };
}
