/** Bytes between sockets and the buffers of a guest, through one buffer of our own, so that no datagram is torn apart. */

import type { SocketAddress } from './addresses.js';
import type { WasiContext } from './context.js';
import { errno, fail } from './errno.js';
import type { OpenNetworkSocket, OpenSocket } from './fd-table.js';
import type { GuestBuffer } from './guest-memory.js';
import type { Received } from './socket.js';
import { waitUntilDone } from './waiting.js';

/** As much as one transfer moves; what is more is left to the next. */
const largestTransfer = 1 << 20;
/** What fits into one packet of UDP over IPv4. */
const largestDatagram = 65_507;
const nanosecondsPerMicrosecond = 1000n;

export function receiveFromSocket(
  context: WasiContext,
  open: OpenSocket,
  list: readonly GuestBuffer[],
  peek: boolean,
): Received {
  requireConnection(open, 'read');
  const whole = new Uint8Array(totalLength(list));
  const limit = receiveLimit(open);
  const received = waitUntilDone(context, open, () => open.socket.receive(whole, peek), { limit });
  spread(context, list, whole, received.length);
  return received;
}

/** Also says who sent it. */
export function receiveWithAddress(
  context: WasiContext,
  open: OpenNetworkSocket,
  list: readonly GuestBuffer[],
  peek: boolean,
): Received & { readonly from: SocketAddress } {
  const { network } = open;
  if (network.type === 'stream') {
    const received = receiveFromSocket(context, open, list, peek);
    return { ...received, from: network.remote ?? fail(errno.notconn) };
  }
  const whole = new Uint8Array(totalLength(list));
  const limit = receiveLimit(open);
  const received = waitUntilDone(context, open, () => open.socket.receiveFrom(whole, peek), { limit });
  spread(context, list, whole, received.length);
  return received;
}

/**
 * @param mustEnd the call is none that can be left
 * @param to of a datagram on a socket that is not connected
 */
export function sendToSocket(
  context: WasiContext,
  open: OpenSocket,
  list: readonly GuestBuffer[],
  { mustEnd = false, to }: { readonly mustEnd?: boolean; readonly to?: SocketAddress } = {},
): number {
  if (to === undefined) requireConnection(open, 'write');
  const whole = gather(context, open, list);
  const limit = open.network === null ? 0n : microseconds(open.network.options.sendTimeout);
  const attempt =
    to === undefined || open.network === null ? () => open.socket.send(whole) : () => open.socket.sendTo(whole, to);
  return waitUntilDone(context, open, attempt, { mustEnd, limit });
}

/** A connection that the guest was not told of yet: now it uses it. */
export function requireConnection(open: OpenSocket, use: 'read' | 'write'): void {
  const { network } = open;
  if (network === null) return;
  if (network.phase === 'connecting' && network.remote !== null) {
    const local = open.socket.connect(network.remote);
    if (local === 'would-block') fail(errno.notconn);
    network.phase = 'connected';
    network.local = local;
  }
  // A datagram socket receives without a connection, but does not know where to send to.
  if (network.phase === 'idle' && network.type === 'dgram') {
    if (use === 'write') fail(errno.destaddrreq);
    return;
  }
  if (network.phase === 'idle' || network.phase === 'listening') fail(errno.notconn);
}

function gather(context: WasiContext, open: OpenSocket, list: readonly GuestBuffer[]): Uint8Array {
  const isDatagram = open.socket.type === 'socket-dgram';
  if (isDatagram && list.reduce((sum, { length }) => sum + length, 0) > largestDatagram) fail(errno.msgsize);
  const whole = new Uint8Array(totalLength(list));
  let at = 0;
  for (const { address, length } of list) {
    const part = context.memory.bytes(address, length).subarray(0, whole.length - at);
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function spread(context: WasiContext, list: readonly GuestBuffer[], whole: Uint8Array, received: number): void {
  let at = 0;
  for (const { address, length } of list) {
    const part = whole.subarray(at, Math.min(at + length, received));
    context.memory.write(address, part);
    at += part.length;
  }
}

function totalLength(list: readonly GuestBuffer[]): number {
  return Math.min(
    largestTransfer,
    list.reduce((sum, { length }) => sum + length, 0),
  );
}

function receiveLimit(open: OpenSocket): bigint {
  return open.network === null ? 0n : microseconds(open.network.options.receiveTimeout);
}

function microseconds(count: number): bigint {
  return BigInt(count) * nanosecondsPerMicrosecond;
}
