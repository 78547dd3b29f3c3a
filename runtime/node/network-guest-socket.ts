/** One socket at the guest's end: what it has received, what it may send, how far its connection is. */

import {
  type AcceptedConnection,
  type Datagram,
  defaultOptions,
  type Errno,
  ErrnoError,
  errno,
  type NetworkSocket,
  type Received,
  type SocketAddress,
  type SocketOptions,
  type Unread,
} from '../wasi/index.js';
import { datagramCost, type NetworkNews, type NetworkRequest } from './network-messages.js';

/** What a socket needs of its network. */
export interface GuestSocketLink {
  post(request: NetworkRequest): void;
  takeNews(): boolean;
  waitFor<T>(find: () => T | undefined): T;
  forget(): void;
}

type News = Extract<NetworkNews, { readonly socket: number }>;

const nothing = new Uint8Array();

export class GuestSocket implements NetworkSocket {
  readonly type: NetworkSocket['type'];
  readonly notifies = true;
  readonly #id: number;
  readonly #link: GuestSocketLink;
  #options: SocketOptions = defaultOptions;
  #chunks: Uint8Array[] = [];
  #datagrams: Datagram[] = [];
  #connections: AcceptedConnection[] = [];
  /** Bytes that were sent and not yet written. */
  #underway = 0;
  #ended = false;
  #readShut = false;
  #writeShut = false;
  /** Why the connection broke. It stays so. */
  #broken: Errno | undefined;
  #connecting = false;
  #local: SocketAddress | undefined;
  /** The answer to the last `bind`. */
  #bound: SocketAddress | Errno | undefined;

  constructor(id: number, type: 'stream' | 'dgram', link: GuestSocketLink) {
    this.#id = id;
    this.type = type === 'stream' ? 'socket-stream' : 'socket-dgram';
    this.#link = link;
  }

  configure(options: SocketOptions): void {
    this.#options = options;
    this.#link.post({ kind: 'configure', socket: this.#id, options });
  }

  bind(local: SocketAddress): SocketAddress {
    this.#bound = undefined;
    this.#link.post({ kind: 'bind', socket: this.#id, local });
    const answer = this.#link.waitFor(() => this.#bound);
    if (typeof answer === 'number') throw new ErrnoError(answer);
    return answer;
  }

  listen(backlog: number): void {
    this.#link.post({ kind: 'listen', socket: this.#id, backlog });
  }

  accept(): AcceptedConnection | 'would-block' {
    this.#link.takeNews();
    const next = this.#connections.shift();
    if (next === undefined) return 'would-block';
    this.#taken(1);
    return next;
  }

  connect(remote: SocketAddress): SocketAddress | 'would-block' {
    if (!this.#connecting) this.#beginToConnect(remote, nothing);
    this.#link.takeNews();
    if (this.#broken !== undefined) {
      const reason = this.#broken;
      this.#broken = undefined;
      this.#connecting = false;
      throw new ErrnoError(reason);
    }
    if (this.#local === undefined) return 'would-block';
    this.#connecting = false;
    return this.#local;
  }

  connectNow(remote: SocketAddress, before: Uint8Array): SocketAddress {
    this.#beginToConnect(remote, before);
    return this.#link.waitFor(() => {
      const local = this.connect(remote);
      return local === 'would-block' ? undefined : local;
    });
  }

  ready(): number | 'end' | 'would-block' {
    if (this.#connections.length > 0) return 1;
    const [datagram] = this.#datagrams;
    if (datagram !== undefined) return datagram.bytes.length;
    const waiting = this.#chunks.reduce((sum, { length }) => sum + length, 0);
    if (waiting > 0) return waiting;
    return this.#ended || this.#readShut || this.#broken !== undefined ? 'end' : 'would-block';
  }

  writable(): boolean {
    if (this.#broken !== undefined) return true;
    return !(this.#connecting && this.#local === undefined) && this.#underway < this.#options.sendBuffer;
  }

  receive(buffer: Uint8Array, peek: boolean): Received | 'would-block' {
    if (this.type === 'socket-dgram') return this.receiveFrom(buffer, peek);
    this.#link.takeNews();
    if (this.#readShut || buffer.length === 0) return { length: 0, truncated: false };
    const length = this.#copyChunks(buffer);
    if (length > 0) {
      if (!peek) this.#dropChunks(length);
      return { length, truncated: false };
    }
    if (this.#ended) return { length: 0, truncated: false };
    if (this.#broken !== undefined) throw new ErrnoError(this.#broken);
    return 'would-block';
  }

  receiveFrom(buffer: Uint8Array, peek: boolean): (Received & { readonly from: SocketAddress }) | 'would-block' {
    this.#link.takeNews();
    const [next] = this.#datagrams;
    if (next === undefined) {
      this.#throwOnce();
      return 'would-block';
    }
    const { bytes, from } = next;
    buffer.set(bytes.subarray(0, buffer.length));
    if (!peek) {
      this.#datagrams.shift();
      this.#taken(datagramCost(bytes));
    }
    return { length: Math.min(bytes.length, buffer.length), truncated: bytes.length > buffer.length, from };
  }

  send(bytes: Uint8Array): number | 'would-block' {
    return this.#send(bytes, null);
  }

  sendTo(bytes: Uint8Array, remote: SocketAddress): number | 'would-block' {
    return this.#send(bytes, remote);
  }

  shutdown(read: boolean, write: boolean): void {
    this.#readShut ||= read;
    if (!write || this.#writeShut) return;
    this.#writeShut = true;
    this.#link.post({ kind: 'shutdown', socket: this.#id });
  }

  close(): void {
    for (const { socket } of this.#connections) socket.close();
    this.#connections = [];
    this.#link.forget();
    this.#link.post({ kind: 'close', socket: this.#id });
  }

  unread(): Unread {
    const bytes = new Uint8Array(this.#chunks.reduce((sum, { length }) => sum + length, 0));
    this.#copyChunks(bytes);
    return { bytes, datagrams: [...this.#datagrams], ended: this.#ended };
  }

  putBack({ bytes, datagrams, ended }: Unread, then: 'connection' | 'end' | 'broken'): void {
    if (bytes.length > 0) this.#chunks.unshift(bytes);
    this.#datagrams.unshift(...datagrams);
    const count = datagrams.reduce((sum, datagram) => sum + datagramCost(datagram.bytes), 0);
    if (count > 0) this.#link.post({ kind: 'put-back', socket: this.#id, count });
    // What the other side has ended is over, whatever broke afterwards.
    this.#ended ||= then === 'end' || (then === 'broken' && ended);
    if (then === 'broken') this.#broken = errno.connreset;
  }

  /** What the main thread says about this socket. */
  heed(news: News): void {
    switch (news.kind) {
      case 'bound':
        this.#bound = news.local;
        return;
      case 'refused':
        this.#bound = news.errno;
        return;
      case 'connected':
        this.#local = news.local;
        return;
      case 'failed':
        this.#broken = news.errno;
        return;
      case 'data':
        this.#chunks.push(news.bytes);
        return;
      case 'datagram':
        this.#datagrams.push({ bytes: news.bytes, from: news.from });
        return;
      case 'end':
        this.#ended = true;
        return;
      case 'sent':
        this.#underway -= news.count;
    }
  }

  heedConnection(connection: AcceptedConnection): void {
    this.#connections.push(connection);
  }

  #beginToConnect(remote: SocketAddress, before: Uint8Array): void {
    this.#connecting = true;
    this.#local = undefined;
    this.#broken = undefined;
    // What came before one that failed is nothing of this connection's.
    this.#chunks = before.length > 0 ? [before] : [];
    this.#ended = false;
    this.#link.post({ kind: 'connect', socket: this.#id, remote, untaken: before.length });
  }

  #send(bytes: Uint8Array, remote: SocketAddress | null): number | 'would-block' {
    this.#link.takeNews();
    if (this.#writeShut) throw new ErrnoError(errno.pipe);
    if (this.type === 'socket-dgram') this.#throwOnce();
    else if (this.#broken !== undefined) throw new ErrnoError(this.#broken);
    const room = this.#options.sendBuffer - this.#underway;
    if (bytes.length > 0 && room <= 0) return 'would-block';
    // A datagram goes whole, whatever room there is.
    const part = this.type === 'socket-dgram' ? bytes.slice() : bytes.slice(0, room);
    if (part.length === 0 && this.type === 'socket-stream') return 0;
    this.#underway += part.length;
    this.#link.post({ kind: 'send', socket: this.#id, bytes: part, remote });
    return part.length;
  }

  /** An error on a datagram socket is told once: the next datagram may go well. */
  #throwOnce(): void {
    const reason = this.#broken;
    this.#broken = undefined;
    if (reason !== undefined) throw new ErrnoError(reason);
  }

  #copyChunks(buffer: Uint8Array): number {
    let at = 0;
    for (const chunk of this.#chunks) {
      const part = chunk.subarray(0, buffer.length - at);
      buffer.set(part, at);
      at += part.length;
      if (at === buffer.length) break;
    }
    return at;
  }

  #dropChunks(length: number): void {
    let left = length;
    while (left > 0) {
      const [first] = this.#chunks;
      if (first === undefined) break;
      if (first.length > left) this.#chunks[0] = first.subarray(left);
      else this.#chunks.shift();
      left -= Math.min(left, first.length);
    }
    this.#taken(length);
  }

  #taken(count: number): void {
    this.#link.post({ kind: 'taken', socket: this.#id, count });
  }
}
