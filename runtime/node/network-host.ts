/** The main thread's end of network-messages.ts: does on Node's sockets what a guest asks for. */

import { lookup } from 'node:dns/promises';
import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { canonicalIp } from '../wasi/index.js';
import { controlWords } from './guest-job.js';
import { HostDatagramSocket } from './network-host-datagram.js';
import { HostStreamSocket } from './network-host-stream.js';
import type { NetworkEnd, NetworkNews, NetworkRequest } from './network-messages.js';

/** What the two types of sockets have in common. */
export interface HostSocket {
  /** Does what a request about this socket asks for. */
  heed(request: SocketRequest): void;
  /** Lets go of the socket. Resolves when everything that was to be sent has left this process. */
  close(): Promise<void>;
}

export type SocketRequest = Exclude<NetworkRequest, { readonly kind: 'open' | 'close' | 'look-up' | 'settle' }>;

/** How long the end of a run waits for another side that does not read, milliseconds. */
const patience = 5000;

/**
 * Lends the network of this machine.
 *
 * @param control the run's control words, whose first is changed whenever there is news
 * @returns what the worker is given, and a function that closes all sockets and resolves when what was sent has left
 */
export function shareNetwork(control: Int32Array): { readonly end: NetworkEnd; readonly stop: () => Promise<void> } {
  const { port1, port2 } = new MessageChannel();
  const sockets = new Map<number, HostSocket>();
  const names = new Map<string, Promise<readonly string[]>>();
  const closing = new Set<Promise<void>>();
  let cameIn = 0;

  const tell = (news: NetworkNews): void => {
    port1.postMessage(news);
    Atomics.add(control, controlWords.wake, 1);
    Atomics.notify(control, controlWords.wake);
  };
  const addIncoming = (make: (socket: number) => HostSocket): number => {
    cameIn -= 1;
    sockets.set(cameIn, make(cameIn));
    return cameIn;
  };
  const close = (id: number): void => {
    const left = sockets.get(id)?.close() ?? Promise.resolve();
    sockets.delete(id);
    closing.add(left);
    void left.then(() => closing.delete(left));
  };
  const open = ({ socket, family, type }: Extract<NetworkRequest, { kind: 'open' }>): HostSocket =>
    type === 'dgram'
      ? new HostDatagramSocket(socket, family, tell)
      : new HostStreamSocket(socket, { tell, addIncoming });

  const heed = (request: NetworkRequest): void => {
    switch (request.kind) {
      case 'open':
        sockets.set(request.socket, open(request));
        return;
      case 'close':
        close(request.socket);
        return;
      case 'look-up': {
        const { name } = request;
        const found = names.get(name) ?? addressesOf(name);
        names.set(name, found);
        void found.then((addresses) => tell({ kind: 'addresses', name, addresses }));
        return;
      }
      case 'settle':
        // One turn of the event loop takes in what the system has received, the next is behind it.
        setImmediate(() => setImmediate(() => tell({ kind: 'settled' })));
        return;
      default:
        sockets.get(request.socket)?.heed(request);
    }
  };
  port1.on('message', heed);
  port1.unref();

  return {
    end: { port: port2 },
    stop: async () => {
      // The guest's last words may not have been delivered yet.
      for (let last = receiveMessageOnPort(port1); last !== undefined; last = receiveMessageOnPort(port1)) {
        heed(last.message);
      }
      for (const id of [...sockets.keys()]) close(id);
      await inTime(Promise.all(closing));
      port1.close();
    },
  };
}

async function addressesOf(name: string): Promise<readonly string[]> {
  try {
    const found = await lookup(name, { all: true });
    return [...new Set(found.flatMap(({ address }) => canonicalIp(address) ?? []))];
  } catch {
    return [];
  }
}

async function inTime(done: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, patience);
  });
  await Promise.race([done, late]);
  clearTimeout(timer);
}
