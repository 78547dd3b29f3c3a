/**
 * The thread that draws the line of progress, see progress.ts. It writes to standard error itself: the streams of a
 * worker go through the main thread, which is busy.
 */

import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { statusLine } from '../status-line.js';
import { cells, type ProgressData } from './progress.js';

const standardError = 2;
const firstMilliseconds = 1000;
const nextMilliseconds = 250;

function watch({ state, subject, columns }: ProgressData): void {
  const words = new Int32Array(state, 0, cells.name);
  const start = performance.now();
  let patience = firstMilliseconds;
  while (Atomics.wait(words, cells.running, 1, patience) === 'timed-out') {
    Atomics.store(words, cells.drawing, 1);
    if (Atomics.load(words, cells.running) === 1) {
      const seconds = Math.round((performance.now() - start) / 1000);
      writeSync(standardError, statusLine(`${subject}: ${readStage(state)} (${seconds} s)`, columns));
    }
    Atomics.store(words, cells.drawing, 2);
    Atomics.notify(words, cells.drawing);
    patience = nextMilliseconds;
  }
}

function readStage(state: SharedArrayBuffer): string {
  const [length = 0] = new Int32Array(state, 4 * cells.length, 1);
  return Buffer.from(state.slice(4 * cells.name, 4 * cells.name + length)).toString();
}

watch(workerData);
