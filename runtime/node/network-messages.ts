/**
 * What a guest's thread and the main thread tell each other about sockets. Node's sockets belong to an event loop, which
 * the guest's thread does not run: so the main thread owns them, and both talk through one message port.
 *
 *     worker: posts a request ──────────────> main: does it on a socket of Node's
 *     worker: takes in the news, without an  <────── main: posts news, then changes the shared wake word
 *             event loop, whenever it looks;
 *             asleep, it is woken by the word
 *
 * Neither side floods the other: the main thread stops reading a socket when {@link SocketOptions.receiveBuffer} bytes were
 * not taken yet, and the worker sends no more when `sendBuffer` bytes are not written yet.
 */

import type { MessagePort } from 'node:worker_threads';
import type { AddressFamily, Errno, SocketAddress, SocketOptions } from '../wasi/index.js';
import { datagramOverhead } from '../wasi/network-state.js';

/** What a datagram takes of the receiving buffer. */
export function datagramCost(bytes: Uint8Array): number {
  return bytes.length + datagramOverhead;
}

/** What a guest's thread is given. */
export interface NetworkEnd {
  /** Must be transferred. */
  readonly port: MessagePort;
}

/** Sockets have numbers: those that the guest opened count from 1, those that came in from -1 down. */
export type NetworkRequest =
  | {
      readonly kind: 'open';
      readonly socket: number;
      readonly family: AddressFamily;
      readonly type: 'stream' | 'dgram';
    }
  | { readonly kind: 'configure'; readonly socket: number; readonly options: SocketOptions }
  /** Answered by `bound` or `refused`. */
  | { readonly kind: 'bind'; readonly socket: number; readonly local: SocketAddress }
  | { readonly kind: 'listen'; readonly socket: number; readonly backlog: number }
  /**
   * Answered by `connected` or `failed`. The guest has so many bytes that it did not take yet, from before it was
   * restored: they count from the first moment, or one buffer more would be read before their count came.
   */
  | { readonly kind: 'connect'; readonly socket: number; readonly remote: SocketAddress; readonly untaken: number }
  /** Answered by `sent`. */
  | {
      readonly kind: 'send';
      readonly socket: number;
      readonly bytes: Uint8Array;
      readonly remote: SocketAddress | null;
    }
  /** So many bytes (of a listener: connections) were taken, and there is room for others. */
  | { readonly kind: 'taken'; readonly socket: number; readonly count: number }
  /** Datagrams from before the guest was restored, which it did not take yet: what they cost. */
  | { readonly kind: 'put-back'; readonly socket: number; readonly count: number }
  | { readonly kind: 'shutdown'; readonly socket: number }
  | { readonly kind: 'close'; readonly socket: number }
  /** Answered by `addresses`. */
  | { readonly kind: 'look-up'; readonly name: string }
  /** Answered by `settled`, behind everything that had arrived by then. */
  | { readonly kind: 'settle' };

export type NetworkNews =
  | { readonly kind: 'bound'; readonly socket: number; readonly local: SocketAddress }
  | { readonly kind: 'refused'; readonly socket: number; readonly errno: Errno }
  | { readonly kind: 'connected'; readonly socket: number; readonly local: SocketAddress }
  /** The connection could not be made, or broke. */
  | { readonly kind: 'failed'; readonly socket: number; readonly errno: Errno }
  | {
      readonly kind: 'connection';
      readonly socket: number;
      readonly accepted: number;
      readonly local: SocketAddress;
      readonly remote: SocketAddress;
    }
  | { readonly kind: 'data'; readonly socket: number; readonly bytes: Uint8Array }
  | { readonly kind: 'datagram'; readonly socket: number; readonly bytes: Uint8Array; readonly from: SocketAddress }
  /** The other side will send no more. */
  | { readonly kind: 'end'; readonly socket: number }
  | { readonly kind: 'sent'; readonly socket: number; readonly count: number }
  | { readonly kind: 'addresses'; readonly name: string; readonly addresses: readonly string[] }
  | { readonly kind: 'settled' };
