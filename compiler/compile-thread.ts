/** The thread of compile-in-thread.ts. */

import { parentPort, workerData } from 'node:worker_threads';
import { CompileError } from '../passes/index.js';
import { compile } from './compile.js';
import type { ThreadMessage, ThreadTask } from './compile-in-thread.js';

const { bytes, options, dumpAfter }: ThreadTask = workerData;
const send = (message: ThreadMessage): void => parentPort?.postMessage(message);
try {
  const result = compile(bytes, options, {
    onPass(pass, _milliseconds, text) {
      if (dumpAfter.includes(pass)) send({ kind: 'pass', pass, text: text() });
    },
  });
  send({ kind: 'result', result });
} catch (error) {
  if (!(error instanceof CompileError)) throw error;
  send({ kind: 'refused', diagnostic: error.diagnostic });
}
