/** A TCP connection at the main thread's end: passes on what comes, no faster than the guest takes it. */

import type { Socket } from 'node:net';
import type { SocketOptions } from '../wasi/index.js';
import { errnoOfSystem } from './host-filesystem-errors.js';
import type { HostSocket, SocketRequest } from './network-host.js';
import type { NetworkNews } from './network-messages.js';

export class HostConnection implements HostSocket {
  readonly #id: number;
  readonly #socket: Socket;
  readonly #tell: (news: NetworkNews) => void;
  #options: SocketOptions;
  /** Bytes that the guest has, or that are on their way to it, and that it has not taken. */
  #untaken = 0;

  /** @param untaken bytes that the guest has already */
  constructor(id: number, socket: Socket, options: SocketOptions, tell: (news: NetworkNews) => void, untaken = 0) {
    this.#id = id;
    this.#socket = socket;
    this.#options = options;
    this.#tell = tell;
    this.#apply();
    this.#add(untaken);
    socket.on('data', (bytes) => this.#pass(bytes));
    socket.on('end', () => tell({ kind: 'end', socket: id }));
    socket.on('error', (error) => tell({ kind: 'failed', socket: id, errno: errnoOfSystem(error) }));
  }

  heed(request: SocketRequest): void {
    switch (request.kind) {
      case 'configure':
        this.#options = request.options;
        this.#apply();
        return;
      case 'send': {
        const count = request.bytes.length;
        // When it fails there is room all the same: the news of the failure comes by itself.
        this.#socket.write(request.bytes, () => this.#tell({ kind: 'sent', socket: this.#id, count }));
        return;
      }
      case 'taken':
        this.#untaken = Math.max(0, this.#untaken - request.count);
        if (this.#untaken < this.#options.receiveBuffer) this.#socket.resume();
        return;
      case 'shutdown':
        this.#socket.end();
    }
  }

  close(): Promise<void> {
    const socket = this.#socket;
    socket.removeAllListeners('data').removeAllListeners('end').removeAllListeners('error');
    socket.on('error', () => undefined);
    if (socket.destroyed) return Promise.resolve();
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    if (socket.connecting) socket.destroy();
    else if (this.#options.linger === 0) socket.resetAndDestroy();
    else socket.destroySoon();
    return closed;
  }

  #pass(bytes: Uint8Array): void {
    this.#add(bytes.length);
    // A copy: what Node gives may be a piece of something larger, all of which would be sent along.
    this.#tell({ kind: 'data', socket: this.#id, bytes: Uint8Array.from(bytes) });
  }

  #add(count: number): void {
    this.#untaken += count;
    if (this.#untaken >= this.#options.receiveBuffer) this.#socket.pause();
  }

  #apply(): void {
    const { keepAlive, keepIdle, noDelay } = this.#options;
    this.#socket.setKeepAlive(keepAlive, keepIdle * 1000);
    this.#socket.setNoDelay(noDelay);
  }
}
