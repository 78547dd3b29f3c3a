/**
 * The network as a host lends it: sockets of the machine, used without waiting. What a guest may do with it is decided
 * before it is asked (address-grants.ts); what is kept of a socket in a snapshot is in network-state.ts.
 *
 * Where an operation fails it throws ErrnoError.
 */

import type { AddressFamily, SocketAddress } from './addresses.js';
import type { SocketOptions } from './network-state.js';
import type { Datagram, Received, Transfer } from './socket.js';

export interface Network {
  open(family: AddressFamily, type: 'stream' | 'dgram'): NetworkSocket;
  /** Addresses of a name, the same each time; none when it has none. */
  lookUp(name: string): readonly string[];
  /** Takes in what has happened. Between two calls, sockets are as ready as they were. */
  refresh(): void;
  /** Returns when what this machine has received so far has reached the sockets' {@link NetworkSocket.unread}. */
  settle(): void;
}

/** A socket of either type; what belongs to the other type is never called. */
export interface NetworkSocket extends Transfer {
  /** From now on these hold. */
  configure(options: SocketOptions): void;
  /** Takes a local address, and returns it with the port that was chosen when none was given. */
  bind(local: SocketAddress): SocketAddress;
  /** A bound stream waits for connections. */
  listen(backlog: number): void;
  accept(): AcceptedConnection | 'would-block';
  /**
   * Begins to connect; called again, says how far it is. Throws once when it has failed, and can then be begun again.
   * @returns its own address when it is connected
   */
  connect(remote: SocketAddress): SocketAddress | 'would-block';
  /**
   * {@link connect} of a socket that was just opened, waiting as long as it takes.
   * @param before what is read from a stream before anything that the connection brings, and counts against the buffer
   */
  connectNow(remote: SocketAddress, before: Uint8Array): SocketAddress;
  receiveFrom(buffer: Uint8Array, peek: boolean): (Received & { readonly from: SocketAddress }) | 'would-block';
  /** Sends a datagram, whole. */
  sendTo(bytes: Uint8Array, remote: SocketAddress): number | 'would-block';
  /** What was received and not yet read. */
  unread(): Unread;
  /**
   * What is read first, on a socket that was just opened and is not connected yet. After it comes what its connection
   * brings, or the end, or the news that the connection is broken (to who reads only if the other side had not ended).
   */
  putBack(unread: Unread, then: 'connection' | 'end' | 'broken'): void;
}

export interface AcceptedConnection {
  readonly socket: NetworkSocket;
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
}

export interface Unread {
  /** Of a stream. */
  readonly bytes: Uint8Array;
  readonly datagrams: readonly Datagram[];
  /** The other side will send no more. */
  readonly ended: boolean;
}
