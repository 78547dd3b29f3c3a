// Puts a job into the queue, waits for it, and prints what it printed: node bullmq-add.js bc.mvvm.wasm -g20 -n1000
import { Queue, QueueEvents } from 'bullmq';
import { Redis } from 'ioredis';

const connection = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379', { maxRetriesPerRequest: null });
const queue = new Queue('programs', { connection });
const events = new QueueEvents('programs', { connection });

const [module, ...words] = process.argv.slice(2);
const job = await queue.add('run', { module, args: [module, ...words] });
process.stdout.write(await job.waitUntilFinished(events));
await Promise.all([events.close(), queue.close()]);
await connection.quit();
