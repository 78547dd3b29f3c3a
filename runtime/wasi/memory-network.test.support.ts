/** A network in memory for tests: all its sockets are on one machine, and nothing happens by itself. */

import type { SocketAddress } from './addresses.js';
import { type Errno, ErrnoError, errno } from './errno.js';
import type { AcceptedConnection, Network, NetworkSocket, Unread } from './network.js';
import type { SocketOptions } from './network-state.js';
import type { Datagram, Received } from './socket.js';

const textOf = ({ ip, port }: SocketAddress): string => `${ip} ${port}`;

export class MemoryNetwork implements Network {
  readonly bound: Map<string, MemorySocket> = new Map();
  readonly names: Record<string, readonly string[]> = {};
  /** While true, connecting takes time. */
  slow = false;
  /** Sockets that are open. */
  readonly sockets: Set<MemorySocket> = new Set();
  #nextPort = 50_000;

  open(_family: string, type: 'stream' | 'dgram'): MemorySocket {
    const socket = new MemorySocket(this, type);
    this.sockets.add(socket);
    return socket;
  }

  lookUp(name: string): readonly string[] {
    return this.names[name] ?? [];
  }

  refresh(): void {}

  settle(): void {}

  freePort(): number {
    this.#nextPort += 1;
    return this.#nextPort;
  }
}

export class MemorySocket implements NetworkSocket {
  readonly type: NetworkSocket['type'];
  options: SocketOptions | undefined;
  peer: MemorySocket | undefined;
  /** Waiting to be accepted; undefined unless it listens. */
  connections: AcceptedConnection[] | undefined;
  readonly datagrams: Datagram[] = [];
  /** Sends take at most so many bytes; 0 would block. */
  room: number = Number.POSITIVE_INFINITY;
  readonly #network: MemoryNetwork;
  #local: SocketAddress | undefined;
  #remote: SocketAddress | undefined;
  #incoming: number[] = [];
  #ended = false;
  #broken: Errno | undefined;

  constructor(network: MemoryNetwork, type: 'stream' | 'dgram') {
    this.#network = network;
    this.type = type === 'stream' ? 'socket-stream' : 'socket-dgram';
  }

  configure(options: SocketOptions): void {
    this.options = options;
  }

  bind(local: SocketAddress): SocketAddress {
    const address = { ip: local.ip, port: local.port === 0 ? this.#network.freePort() : local.port };
    if (this.#network.bound.has(textOf(address))) throw new ErrnoError(errno.addrinuse);
    this.#network.bound.set(textOf(address), this);
    this.#local = address;
    return address;
  }

  listen(): void {
    this.connections ??= [];
  }

  accept(): AcceptedConnection | 'would-block' {
    return this.connections?.shift() ?? 'would-block';
  }

  connect(remote: SocketAddress): SocketAddress | 'would-block' {
    if (this.#network.slow) return 'would-block';
    this.#local ??= { ip: '127.0.0.1', port: this.#network.freePort() };
    this.#remote = remote;
    if (this.type === 'socket-dgram') return this.#local;
    const backlog = this.#network.bound.get(textOf(remote))?.connections;
    if (backlog === undefined) throw new ErrnoError(errno.connrefused);
    const other = this.#network.open('', 'stream');
    other.peer = this;
    this.peer = other;
    backlog.push({ socket: other, local: remote, remote: this.#local });
    return this.#local;
  }

  connectNow(remote: SocketAddress, before: Uint8Array): SocketAddress {
    this.#incoming = [...before];
    const local = this.connect(remote);
    if (local === 'would-block') throw new Error('would wait for ever');
    return local;
  }

  ready(): number | 'end' | 'would-block' {
    if ((this.connections?.length ?? 0) > 0) return 1;
    const waiting = this.#incoming.length + (this.datagrams[0]?.bytes.length ?? 0);
    if (waiting > 0) return waiting;
    return this.#ended || this.#broken !== undefined ? 'end' : 'would-block';
  }

  writable(): boolean {
    return !this.#network.slow && this.room > 0;
  }

  receive(buffer: Uint8Array, peek: boolean): Received | 'would-block' {
    if (this.type === 'socket-dgram') return this.receiveFrom(buffer, peek);
    const part = this.#incoming.slice(0, buffer.length);
    buffer.set(part);
    if (!peek) this.#incoming = this.#incoming.slice(part.length);
    if (part.length > 0 || this.#ended) return { length: part.length, truncated: false };
    if (this.#broken !== undefined) throw new ErrnoError(this.#broken);
    return 'would-block';
  }

  receiveFrom(buffer: Uint8Array, peek: boolean): (Received & { readonly from: SocketAddress }) | 'would-block' {
    const [next] = this.datagrams;
    if (next === undefined) return 'would-block';
    if (!peek) this.datagrams.shift();
    const { bytes, from } = next;
    buffer.set(bytes.subarray(0, buffer.length));
    return { length: Math.min(bytes.length, buffer.length), truncated: bytes.length > buffer.length, from };
  }

  send(bytes: Uint8Array): number | 'would-block' {
    if (this.type === 'socket-dgram') {
      return this.#remote === undefined ? 'would-block' : this.sendTo(bytes, this.#remote);
    }
    if (this.#broken !== undefined) throw new ErrnoError(this.#broken);
    if (this.room === 0) return 'would-block';
    const part = bytes.subarray(0, Math.min(bytes.length, this.room));
    this.peer?.arrive(part);
    return part.length;
  }

  sendTo(bytes: Uint8Array, remote: SocketAddress): number | 'would-block' {
    this.#local ??= { ip: '127.0.0.1', port: this.#network.freePort() };
    this.#network.bound.get(textOf(remote))?.datagrams.push({ bytes: bytes.slice(), from: this.#local });
    return bytes.length;
  }

  shutdown(_read: boolean, write: boolean): void {
    if (write) this.peer?.end();
  }

  close(): void {
    this.#network.sockets.delete(this);
    if (this.#local !== undefined && this.#network.bound.get(textOf(this.#local)) === this) {
      this.#network.bound.delete(textOf(this.#local));
    }
    this.peer?.end();
  }

  unread(): Unread {
    return { bytes: Uint8Array.from(this.#incoming), datagrams: [...this.datagrams], ended: this.#ended };
  }

  putBack({ bytes, datagrams, ended }: Unread, then: 'connection' | 'end' | 'broken'): void {
    this.#incoming = [...bytes, ...this.#incoming];
    this.datagrams.unshift(...datagrams);
    this.#ended = then === 'end' || (then === 'broken' && ended);
    if (then === 'broken') this.#broken = errno.connreset;
  }

  /** The other side sends this. */
  arrive(bytes: Uint8Array): void {
    this.#incoming.push(...bytes);
  }

  /** The other side will send no more. */
  end(): void {
    this.#ended = true;
  }
}
