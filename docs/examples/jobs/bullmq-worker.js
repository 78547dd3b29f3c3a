// A worker on a machine that may vanish. SIGTERM: its job is stopped and goes back into the queue. SIGKILL: BullMQ sees
// that the job has stalled, and gives it to another worker. Both go on from the job's snapshot.
import { DelayedError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { runJob } from './run-job.js';

const leaving = new AbortController();
const here = { folder: process.env.SNAPSHOTS ?? '.', signal: leaving.signal };
const connection = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379', { maxRetriesPerRequest: null });

async function runOrStop(job, token) {
  const { stopped, output } = await runJob(job, here);
  const printed = (job.data.printed ?? '') + output;
  if (!stopped) return printed;
  await job.updateData({ ...job.data, printed });
  await job.moveToDelayed(Date.now(), token);
  throw new DelayedError();
}

const worker = new Worker('programs', runOrStop, {
  connection,
  // How soon a worker that vanished is noticed, and how often that may happen to one job.
  lockDuration: 10_000,
  stalledInterval: 5000,
  maxStalledCount: 100,
});

process.once('SIGTERM', async () => {
  leaving.abort();
  await worker.close();
  await connection.quit();
});
