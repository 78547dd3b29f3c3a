/** A connection is read no faster than the guest takes what comes, whatever it had before it was restored. */

import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import type { MessagePort } from 'node:worker_threads';
import { afterEach, expect, test } from '@jest/globals';
import { defaultOptions } from '../wasi/index.js';
import { controlWords } from './guest-job.js';
import { shareNetwork } from './network-host.js';
import type { NetworkNews, NetworkRequest } from './network-messages.js';

const receiveBuffer = 1024;
const atEnd: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of atEnd.splice(0).reverse()) await end();
});

/** Stands for the guest's thread: what it asks for, and the news that it gets. */
class Guest {
  readonly heard: NetworkNews[] = [];
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (news: NetworkNews) => this.heard.push(news));
  }

  ask(request: NetworkRequest): void {
    this.#port.postMessage(request);
  }

  async hears(kind: NetworkNews['kind']): Promise<void> {
    while (!this.heard.some((news) => news.kind === kind)) await once(this.#port, 'message');
  }

  /** Bytes that came in, once everything that this machine has received so far is there. */
  async received(): Promise<number> {
    this.heard.splice(0, this.heard.findLastIndex(({ kind }) => kind === 'settled') + 1);
    this.ask({ kind: 'settle' });
    await this.hears('settled');
    return this.heard.reduce((sum, news) => sum + (news.kind === 'data' ? news.bytes.length : 0), 0);
  }
}

/** A guest that connects, having so many bytes that it did not take, to somebody who sends before it is there. */
async function connectedWith(untaken: number, sent: number): Promise<{ guest: Guest; peer: Socket }> {
  const { end, stop } = shareNetwork(new Int32Array(new SharedArrayBuffer(4 * controlWords.count)));
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd.push(() => server.close(), stop);
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('unreachable');

  const guest = new Guest(end.port);
  const accepted: Promise<Socket[]> = once(server, 'connection');
  guest.ask({ kind: 'open', socket: 1, family: 'inet4', type: 'stream' });
  guest.ask({ kind: 'configure', socket: 1, options: { ...defaultOptions, receiveBuffer } });
  guest.ask({ kind: 'connect', socket: 1, remote: { ip: '127.0.0.1', port: address.port }, untaken });
  const [peer] = await accepted;
  if (peer === undefined) throw new Error('unreachable');
  await new Promise((resolve) => peer.write(new Uint8Array(sent), resolve));
  await guest.hears('connected');
  return { guest, peer };
}

test('what a guest had before it was restored counts against its buffer before anything is read', async () => {
  const { guest } = await connectedWith(1500, 100);
  expect(await guest.received()).toBe(0);
  guest.ask({ kind: 'taken', socket: 1, count: 400 });
  expect(await guest.received()).toBe(0);
  guest.ask({ kind: 'taken', socket: 1, count: 100 });
  await guest.hears('data');
  expect(await guest.received()).toBe(100);
});

test('what comes counts together with it', async () => {
  const { guest, peer } = await connectedWith(1000, 100);
  await guest.hears('data');
  expect(await guest.received()).toBe(100);
  await new Promise((resolve) => peer.write(new Uint8Array(50), resolve));
  expect(await guest.received()).toBe(0);
  guest.ask({ kind: 'taken', socket: 1, count: 1000 });
  await guest.hears('data');
  expect(await guest.received()).toBe(50);
});
