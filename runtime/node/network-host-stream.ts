/**
 * A stream socket at the main thread's end. Node has no socket that is bound and nothing else: binding makes a server,
 * which keeps what comes in until the guest listens, and which is given up if the guest connects instead.
 */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { canonicalIp, defaultOptions, errno, type SocketAddress, type SocketOptions } from '../wasi/index.js';
import { errnoOfSystem } from './host-filesystem-errors.js';
import type { HostSocket, SocketRequest } from './network-host.js';
import { HostConnection } from './network-host-connection.js';
import type { NetworkNews } from './network-messages.js';

export interface HostStreamLink {
  readonly tell: (news: NetworkNews) => void;
  /** Gives a socket that came in a number. */
  readonly addIncoming: (make: (socket: number) => HostSocket) => number;
}

/** Connections that may come before the guest listens and says how many may wait. */
const backlogBeforeListening = 128;

export class HostStreamSocket implements HostSocket {
  readonly #id: number;
  readonly #link: HostStreamLink;
  #options: SocketOptions = defaultOptions;
  #server: Server | undefined;
  #bound: SocketAddress | undefined;
  /** Came in before the guest listened. */
  #early: Socket[] = [];
  #listens = false;
  #backlog = backlogBeforeListening;
  /** Told to the guest and not yet accepted. */
  #waiting = 0;
  #connection: HostConnection | undefined;

  constructor(id: number, link: HostStreamLink) {
    this.#id = id;
    this.#link = link;
  }

  heed(request: SocketRequest): void {
    switch (request.kind) {
      case 'configure':
        this.#options = request.options;
        this.#connection?.heed(request);
        return;
      case 'bind':
        this.#bind(request.local);
        return;
      case 'listen':
        this.#backlog = request.backlog;
        this.#listens = true;
        for (const socket of this.#early.splice(0)) this.#handOver(socket);
        return;
      case 'connect':
        this.#connect(request.remote, request.untaken);
        return;
      case 'taken':
        if (this.#listens) this.#waiting = Math.max(0, this.#waiting - request.count);
        else this.#connection?.heed(request);
        return;
      default:
        this.#connection?.heed(request);
    }
  }

  async close(): Promise<void> {
    this.#server?.close();
    for (const socket of this.#early.splice(0)) socket.resetAndDestroy();
    await this.#connection?.close();
  }

  #bind(local: SocketAddress): void {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
    const refuse = (error: unknown): void => {
      this.#server = undefined;
      this.#link.tell({ kind: 'refused', socket: this.#id, errno: errnoOfSystem(error) });
    };
    this.#server = server;
    server.on('connection', (socket) => this.#handOver(socket));
    server.once('error', refuse);
    server.listen({ host: local.ip, port: local.port, exclusive: true, ipv6Only: this.#options.ipv6Only }, () => {
      server.off('error', refuse);
      // What goes wrong later, such as too many open files, costs one connection and not the server.
      server.on('error', () => undefined);
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : local.port;
      this.#bound = { ip: local.ip, port };
      this.#link.tell({ kind: 'bound', socket: this.#id, local: this.#bound });
    });
  }

  #handOver(socket: Socket): void {
    // It may break before anybody looks at it.
    socket.on('error', () => undefined);
    const [local, remote] = [
      addressOf(socket.localAddress, socket.localPort),
      addressOf(socket.remoteAddress, socket.remotePort),
    ];
    const isFull = this.#early.length + this.#waiting >= this.#backlog;
    if (isFull || local === undefined || remote === undefined) {
      socket.resetAndDestroy();
      return;
    }
    if (!this.#listens) {
      this.#early.push(socket);
      return;
    }
    this.#waiting += 1;
    const accepted = this.#link.addIncoming((id) => new HostConnection(id, socket, this.#options, this.#link.tell));
    this.#link.tell({ kind: 'connection', socket: this.#id, accepted, local, remote });
    // News of it comes behind the news that it is there.
    socket.resume();
  }

  #connect({ ip, port }: SocketAddress, untaken: number): void {
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#early.splice(0)) socket.resetAndDestroy();
    const bound = this.#bound;
    const from = bound === undefined ? {} : { localAddress: bound.ip, localPort: bound.port };
    const socket = connect({ host: ip, port, ...from, allowHalfOpen: true });
    this.#connection = new HostConnection(this.#id, socket, this.#options, this.#link.tell, untaken);
    socket.once('connect', () => {
      const local = addressOf(socket.localAddress, socket.localPort);
      if (local === undefined) this.#link.tell({ kind: 'failed', socket: this.#id, errno: errno.connreset });
      else this.#link.tell({ kind: 'connected', socket: this.#id, local });
    });
  }
}

/** Undefined when the connection is over already. */
function addressOf(ip: string | undefined, port: number | undefined): SocketAddress | undefined {
  const canonical = ip === undefined ? undefined : canonicalIp(ip);
  return canonical === undefined || port === undefined ? undefined : { ip: canonical, port };
}
