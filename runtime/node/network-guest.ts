/** The guest's end of network-messages.ts: sockets that never wait, over what the main thread has sent. */

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { AddressFamily, Network } from '../wasi/index.js';
import { GuestSocket } from './network-guest-socket.js';
import type { NetworkEnd, NetworkNews, NetworkRequest } from './network-messages.js';

export interface GuestNetwork extends Network {
  /** Takes in what the main thread has sent. Whether there was anything. */
  takeNews(): boolean;
}

/** @param wake the word that the main thread changes when it has sent something */
export function openNetwork({ port }: NetworkEnd, wake: Int32Array): GuestNetwork {
  return new PortNetwork(port, wake);
}

class PortNetwork implements GuestNetwork {
  readonly #port: MessagePort;
  readonly #wake: Int32Array;
  readonly #sockets = new Map<number, GuestSocket>();
  readonly #addresses = new Map<string, readonly string[]>();
  #opened = 0;
  #settled = false;

  constructor(port: MessagePort, wake: Int32Array) {
    this.#port = port;
    this.#wake = wake;
  }

  open(family: AddressFamily, type: 'stream' | 'dgram'): GuestSocket {
    this.#opened += 1;
    this.#post({ kind: 'open', socket: this.#opened, family, type });
    return this.#add(this.#opened, type);
  }

  lookUp(name: string): readonly string[] {
    const known = (): readonly string[] | undefined => this.#addresses.get(name);
    if (known() === undefined) this.#post({ kind: 'look-up', name });
    return this.#waitFor(known);
  }

  refresh(): void {
    this.takeNews();
  }

  settle(): void {
    this.#settled = false;
    this.#post({ kind: 'settle' });
    this.#waitFor(() => (this.#settled ? true : undefined));
  }

  takeNews(): boolean {
    let any = false;
    for (;;) {
      const received: { readonly message: NetworkNews } | undefined = receiveMessageOnPort(this.#port);
      if (received === undefined) return any;
      any = true;
      this.#heed(received.message);
    }
  }

  #heed(news: NetworkNews): void {
    switch (news.kind) {
      case 'addresses':
        this.#addresses.set(news.name, news.addresses);
        return;
      case 'settled':
        this.#settled = true;
        return;
      case 'connection': {
        const { local, remote } = news;
        const socket = this.#add(news.accepted, 'stream');
        const listener = this.#sockets.get(news.socket);
        // The guest has closed the listener in the meantime.
        if (listener === undefined) socket.close();
        else listener.heedConnection({ socket, local, remote });
        return;
      }
      default:
        this.#sockets.get(news.socket)?.heed(news);
    }
  }

  #add(id: number, type: 'stream' | 'dgram'): GuestSocket {
    const socket = new GuestSocket(id, type, {
      post: (request) => this.#post(request),
      takeNews: () => this.takeNews(),
      waitFor: (find) => this.#waitFor(find),
      forget: () => this.#sockets.delete(id),
    });
    this.#sockets.set(id, socket);
    return socket;
  }

  #post(request: NetworkRequest): void {
    this.#port.postMessage(request);
  }

  /** Sleeps until there is an answer, which the main thread always gives. */
  #waitFor<T>(find: () => T | undefined): T {
    for (;;) {
      const seen = Atomics.load(this.#wake, 0);
      this.takeNews();
      const found = find();
      if (found !== undefined) return found;
      Atomics.wait(this.#wake, 0, seen);
    }
  }
}
