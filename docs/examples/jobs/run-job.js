// Runs one job in a thread of its own. Its snapshot is named after the job, in a folder that all workers share: whoever
// gets the job next goes on from there.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadProgram } from 'mvvmc/runtime';
import { removeSnapshotChain, runInWorker } from 'mvvmc/runtime/node';

/**
 * @param {{ id: string, data: { module: string, args: string[] } }} job
 * @param {{ folder: string, signal: AbortSignal, everyMs?: number }} worker the signal asks the program to stop
 * @returns {Promise<{ stopped: boolean, output: string }>} what it printed since it was started or continued
 */
export async function runJob({ id, data }, { folder, signal, everyMs = 10_000 }) {
  const program = await loadProgram(readFileSync(data.module));
  const snapshotFile = join(folder, `${id}.snap`);
  const printed = [];
  const run = runInWorker(program, {
    ...(existsSync(snapshotFile) ? { from: snapshotFile } : { args: data.args }),
    snapshotFile,
    output: (_stream, bytes) => printed.push(Buffer.from(bytes)),
    onRefused: (reason) => console.error(`job ${id}: no checkpoint was taken: ${reason}`),
  });

  const checkpoint = (goOn) => run.checkpoint({ goOn }).catch(() => undefined);
  const stop = () => checkpoint(false);
  signal.addEventListener('abort', stop);
  if (signal.aborted) stop();
  const timer = setInterval(() => checkpoint(true), everyMs);
  try {
    const outcome = await run.done;
    if (outcome.kind === 'trapped') throw new Error(`job ${id}: ${outcome.error.message}`);
    if (outcome.kind === 'finished') removeSnapshotChain(snapshotFile);
    return { stopped: outcome.kind === 'checkpointed', output: Buffer.concat(printed).toString() };
  } finally {
    clearInterval(timer);
    signal.removeEventListener('abort', stop);
  }
}
