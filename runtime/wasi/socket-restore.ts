/**
 * From the saved state of a socket back to an open one. What it was bound to is bound again, a listening one listens
 * again. A connection is gone with the machine it was saved on: who restores chooses what becomes of it.
 *
 * - `reconnect`: a connection that the guest made is made again, before the guest goes on. What it had received and not
 *   read is read first; what was on its way is lost. A connection that was accepted cannot be made from this side: as below
 * - `fail`: what was received is read, then the guest gets ECONNRESET, as from any connection that breaks
 */

import { type SocketAddress, showAddress } from './addresses.js';
import { decodeBase64, encodeBase64 } from './base64.js';
import type { LentNetwork } from './context.js';
import type { SavedSocketDescriptor } from './descriptors.js';
import * as diagnose from './diagnostics.js';
import { WasiError } from './diagnostics.js';
import { ErrnoError } from './errno.js';
import type { OpenNetworkSocket } from './fd-table.js';
import type { NetworkSocket, Unread } from './network.js';
import type { NetworkState, SavedUnread } from './network-state.js';
import { includesRights, socketRights } from './rights.js';

/** What to do about connections; undefined when nothing was chosen. */
export type ConnectionChoice = 'reconnect' | 'fail' | undefined;

export function saveSocket({ data, network, socket }: OpenNetworkSocket): SavedSocketDescriptor {
  const { bytes, datagrams, ended } = socket.unread();
  return {
    ...data,
    network: { ...network, shut: { ...network.shut } },
    unread: {
      bytes: encodeBase64(bytes),
      datagrams: datagrams.map((datagram) => ({ bytes: encodeBase64(datagram.bytes), from: datagram.from })),
      ended,
    },
  };
}

/** @throws {WasiError} when it claims what is not granted, or a choice is missing. Nothing is opened here. */
export function checkSocket(
  fd: number,
  { rights, inheriting, network, unread }: SavedSocketDescriptor,
  lent: LentNetwork | null,
  choice: ConnectionChoice,
): void {
  if (!includesRights(socketRights, rights) || inheriting !== 0) {
    throw new WasiError(diagnose.tooManyRights(fd, undefined));
  }
  const { bound, remote, phase, options } = network;
  if (lent === null) throw new WasiError(diagnose.noNetwork(fd, describe(network)));
  const groups = options.groups.map((ip) => ({ ip, port: bound?.port ?? 0 }));
  const needed = [bound, phase === 'connecting' || phase === 'connected' ? remote : null, ...groups];
  for (const address of needed) {
    if (address !== null && !lent.granted.allow(address)) {
      throw new WasiError(diagnose.addressNotGranted(fd, showAddress(address)));
    }
  }
  if (choice === undefined && isLiveConnection(network, unread) && remote !== null) {
    throw new WasiError(diagnose.connectionToDecide(fd, showAddress(remote)));
  }
}

/** @throws {WasiError} when the address is taken, or nobody answers at the other end */
export function reopenSocket(
  fd: number,
  { network: saved, unread, ...data }: SavedSocketDescriptor,
  { host }: LentNetwork,
  choice: ConnectionChoice,
): OpenNetworkSocket {
  const network = { ...saved, shut: { ...saved.shut } };
  const socket = host.open(network.family, network.type);
  try {
    socket.configure(network.options);
    // Before more can come: what waits to be read counts against the buffer.
    if (network.type === 'dgram') socket.putBack(unreadOf(unread), 'connection');
    bindAgain(fd, network, socket);
    connectAgain(fd, network, socket, { choice, unread });
  } catch (error) {
    socket.close();
    throw error;
  }
  return { kind: 'socket', data: { ...data }, socket, network };
}

function bindAgain(fd: number, network: NetworkState, socket: NetworkSocket): void {
  const { bound, phase } = network;
  if (bound === null || phase === 'broken') return;
  try {
    network.bound = socket.bind(bound);
    if (phase === 'idle' || phase === 'listening') network.local = network.bound;
    if (phase === 'listening') socket.listen(network.backlog);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new WasiError(diagnose.cannotBindAgain(fd, showAddress(bound), error.errno));
  }
}

function connectAgain(
  fd: number,
  network: NetworkState,
  socket: NetworkSocket,
  { choice, unread }: { readonly choice: ConnectionChoice; readonly unread: SavedUnread },
): void {
  const { remote, shut } = network;
  if (network.type === 'dgram') {
    if (remote !== null) network.local = connectNow(fd, socket, { remote, before: new Uint8Array() });
    return;
  }
  const waiting = unreadOf(unread);
  if (network.phase === 'idle' || network.phase === 'listening') {
    socket.putBack(waiting, 'connection');
  } else if (network.phase === 'connecting' && remote !== null) {
    beginToConnect(socket, remote);
  } else if (isFinished(network, unread)) {
    socket.putBack(waiting, 'end');
  } else if (network.phase === 'connected' && choice === 'reconnect' && remote !== null) {
    network.local = connectNow(fd, socket, { remote, before: waiting.bytes });
    if (shut.read || shut.write) socket.shutdown(shut.read, shut.write);
  } else {
    network.phase = 'broken';
    socket.putBack(waiting, 'broken');
  }
}

/** What comes of it is told to the guest, which has asked for it and waits or will ask. */
function beginToConnect(socket: NetworkSocket, remote: SocketAddress): void {
  socket.connect(remote);
}

function connectNow(
  fd: number,
  socket: NetworkSocket,
  { remote, before }: { readonly remote: SocketAddress; readonly before: Uint8Array },
): SocketAddress {
  try {
    return socket.connectNow(remote, before);
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    throw new WasiError(diagnose.cannotReconnect(fd, showAddress(remote), error.errno));
  }
}

/** Whether the other side would notice that the connection is gone. */
function isLiveConnection(network: NetworkState, unread: SavedUnread): boolean {
  const isConnection = network.phase === 'connected' || network.phase === 'accepted';
  return network.type === 'stream' && isConnection && !isFinished(network, unread);
}

/** Both sides have said that they are done. */
function isFinished({ phase, shut }: NetworkState, { ended }: SavedUnread): boolean {
  return phase !== 'broken' && ended && shut.write;
}

function unreadOf({ bytes, datagrams, ended }: SavedUnread): Unread {
  return {
    bytes: decodeBase64(bytes),
    datagrams: datagrams.map((datagram) => ({ bytes: decodeBase64(datagram.bytes), from: datagram.from })),
    ended,
  };
}

function describe({ phase, local, remote }: NetworkState): string {
  if (phase === 'listening' && local !== null) return `listens on ${showAddress(local)}`;
  if (remote !== null) return `is connected to ${showAddress(remote)}`;
  return local === null ? 'is a socket' : `is a socket on ${showAddress(local)}`;
}
