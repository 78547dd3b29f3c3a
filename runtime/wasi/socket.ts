/** Sockets that a guest has open: those the host handed in, and those the guest opened itself (network.ts). */

import type { SocketAddress } from './addresses.js';

/** What can be done with any connected socket. */
export interface Transfer {
  readonly type: 'socket-stream' | 'socket-dgram';
  /** Whether its news ends the host's wait. Others are looked at again and again. */
  readonly notifies?: boolean;
  /** Bytes (or connections to accept, counted as 1) that can be had at once. */
  ready(): number | 'end' | 'would-block';
  /** Whether a send would take anything now. */
  writable(): boolean;
  /** 0 is the end. With `peek` the bytes stay. A datagram that does not fit is cut off. */
  receive(buffer: Uint8Array, peek: boolean): Received | 'would-block';
  send(bytes: Uint8Array): number | 'would-block';
  shutdown(read: boolean, write: boolean): void;
  close(): void;
}

export interface Received {
  readonly length: number;
  readonly truncated: boolean;
}

export interface Datagram {
  readonly bytes: Uint8Array;
  readonly from: SocketAddress;
}

/** A socket that the host hands to a guest. It belongs to this host: a checkpoint with one open is refused. */
export interface Socket extends Transfer {
  /** EINVAL for a socket that does not listen. */
  accept(): Socket | 'would-block';
}
