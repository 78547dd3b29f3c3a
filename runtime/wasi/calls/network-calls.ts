/**
 * The sockets of WAMR's extension, beside preview1's own: sock_open, sock_bind, sock_listen, sock_connect,
 * sock_addr_local, sock_addr_remote, sock_addr_resolve, sock_recv_from, sock_send_to, sock_close. Their options are in
 * socket-option-calls.ts, the structures in addresses.ts.
 *
 * Without a network, and for every address that was not granted, the answer is EACCES.
 */

import {
  type AddressFamily,
  addressSize,
  anyAddress,
  canonicalIp,
  destinationOf,
  familyOf,
  readAddress,
  type SocketAddress,
  writeAddress,
} from '../addresses.js';
import { type CallTable, type Guard, Interrupted } from '../call-table.js';
import type { WasiContext } from '../context.js';
import { errno, fail } from '../errno.js';
import type { OpenNetworkSocket } from '../fd-table.js';
import { fdFlag, receiveFlag } from '../flags.js';
import { largestBacklog, newNetworkState } from '../network-state.js';
import { right, socketRights } from '../rights.js';
import { receiveWithAddress, sendToSocket } from '../socket-transfer.js';

/** Codes of WAMR: the position in the list is the code. */
const families: readonly AddressFamily[] = ['inet4', 'inet6'];
const types = ['dgram', 'stream'] as const;

export function networkCalls(context: WasiContext, guard: Guard): CallTable {
  const { memory, table } = context;

  const requireGrant = (address: SocketAddress): void => {
    if (context.network?.granted.allow(address) !== true) fail(errno.acces);
  };

  const bind = ({ network, socket }: OpenNetworkSocket, address: SocketAddress): void => {
    if (familyOf(address) !== network.family) fail(errno.afnosupport);
    requireGrant(address);
    network.bound = socket.bind(address);
    network.local = network.bound;
  };

  return {
    // The first argument, an address pool, means nothing to WAMR either.
    sock_open: guard((_pool: number, familyCode: number, typeCode: number, result: number) => {
      memory.range(result, 4);
      const { host } = context.network ?? fail(errno.acces);
      const family = families[familyCode] ?? fail(errno.afnosupport);
      const type = types[typeCode] ?? fail(errno.protonosupport);
      table.requireRoom();
      const data = { kind: 'socket', rights: socketRights, inheriting: 0, flags: 0 } as const;
      const socket = host.open(family, type);
      const network = newNetworkState(family, type);
      memory.writeU32(result, table.add({ kind: 'socket', data: { ...data }, socket, network }));
    }),

    sock_close: guard((fd: number) => {
      table.socket(fd, 0);
      table.close(fd);
    }),

    sock_bind: guard((fd: number, address: number) => {
      const open = table.networkSocket(fd);
      const local = readAddress(memory, address);
      if (open.network.phase !== 'idle' || open.network.bound !== null) fail(errno.inval);
      bind(open, local);
    }),

    sock_listen: guard((fd: number, backlog: number) => {
      const open = table.networkSocket(fd, right.sockAccept);
      const { network, socket } = open;
      if (network.type !== 'stream') fail(errno.notsup);
      if (network.phase !== 'idle' && network.phase !== 'listening') fail(errno.inval);
      if (network.bound === null) bind(open, anyAddress(network.family));
      network.backlog = Math.min(largestBacklog, Math.max(1, backlog));
      socket.listen(network.backlog);
      network.phase = 'listening';
    }),

    sock_connect: guard((fd: number, address: number) => {
      const open = table.networkSocket(fd);
      const remote = destinationOf(readAddress(memory, address));
      if (familyOf(remote) !== open.network.family) fail(errno.afnosupport);
      requireGrant(remote);
      if (remote.port === 0) fail(errno.addrnotavail);
      connect(context, open, remote);
    }),

    sock_addr_local: guard((fd: number, result: number) => {
      const { network } = table.networkSocket(fd);
      memory.range(result, addressSize);
      writeAddress(memory, result, network.local ?? anyAddress(network.family));
    }),

    sock_addr_remote: guard((fd: number, result: number) => {
      const { network } = table.networkSocket(fd);
      memory.range(result, addressSize);
      if (network.phase === 'connecting') fail(errno.notconn);
      writeAddress(memory, result, network.remote ?? fail(errno.notconn));
    }),

    sock_recv_from: guard(
      (fd: number, buffers: number, count: number, flags: number, source: number, result: number) => {
        const open = table.networkSocket(fd, right.fdRead);
        if ((flags & ~(receiveFlag.peek | receiveFlag.waitAll)) !== 0) fail(errno.inval);
        const list = memory.buffers(buffers, count);
        memory.range(result, 4);
        // Zero is the null pointer here: who asks so does not want to know.
        if (source !== 0) memory.range(source, addressSize);
        const received = receiveWithAddress(context, open, list, (flags & receiveFlag.peek) !== 0);
        if (source !== 0) writeAddress(memory, source, received.from);
        memory.writeU32(result, received.length);
      },
    ),

    sock_send_to: guard(
      (fd: number, buffers: number, count: number, flags: number, destination: number, result: number) => {
        const open = table.networkSocket(fd, right.fdWrite);
        if (flags !== 0) fail(errno.inval);
        const list = memory.buffers(buffers, count);
        memory.range(result, 4);
        const to = destinationOf(readAddress(memory, destination));
        // A stream has one destination only: where it is connected to.
        if (open.network.type === 'stream') {
          memory.writeU32(result, sendToSocket(context, open, list));
          return;
        }
        if (familyOf(to) !== open.network.family) fail(errno.afnosupport);
        requireGrant(to);
        if (open.network.phase !== 'idle') fail(errno.isconn);
        memory.writeU32(result, sendToSocket(context, open, list, { to }));
      },
    ),

    sock_addr_resolve: guard(
      (host: number, service: number, hints: number, list: number, room: number, result: number) => {
        const name = memory.cString(host);
        const port = portOf(memory.cString(service));
        const { family, type } = readHints(context, hints);
        const size = room >>> 0;
        const start = memory.range(list, Math.min(0xffffffff, size * addressInfoSize));
        memory.range(result, 4);
        const found = addressesOf(context, name).flatMap((ip) => {
          const address = { ip, port };
          if (family !== undefined && familyOf(address) !== family) return [];
          return (type === undefined ? (['stream', 'dgram'] as const) : [type]).map((kind) => ({ address, kind }));
        });
        found.slice(0, size).forEach(({ address, kind }, index) => {
          writeAddress(memory, start + index * addressInfoSize, address);
          memory.writeU32(start + index * addressInfoSize + addressSize, types.indexOf(kind));
        });
        memory.writeU32(result, found.length);
      },
    ),
  };
}

/** An address and behind it, as u32, the type of socket. */
const addressInfoSize: number = addressSize + 4;

/** Waits until it is connected. What was begun goes on when the call is left, and is found when it is made again. */
function connect(context: WasiContext, open: OpenNetworkSocket, remote: SocketAddress): void {
  const { network, socket, data } = open;
  const isSame = network.remote?.ip === remote.ip && network.remote.port === remote.port;
  if (network.phase === 'connecting' && !isSame) fail(errno.already);
  // A datagram socket may be connected to another address at any time.
  if (network.type === 'stream' && network.phase !== 'idle' && network.phase !== 'connecting') {
    fail(network.phase === 'listening' ? errno.inval : errno.isconn);
  }
  const isNew = network.phase !== 'connecting';
  network.phase = 'connecting';
  network.remote = remote;
  for (;;) {
    let local: SocketAddress | 'would-block';
    try {
      local = socket.connect(remote);
    } catch (error) {
      network.phase = 'idle';
      network.remote = null;
      network.local = network.bound;
      throw error;
    }
    if (local !== 'would-block') {
      network.phase = 'connected';
      network.local = local;
      return;
    }
    if ((data.flags & fdFlag.nonblock) !== 0) fail(isNew ? errno.inprogress : errno.already);
    if (context.wait({ stdin: false, sockets: [socket] }) === 'interrupted') throw new Interrupted();
  }
}

/** The addresses that a text stands for: itself, or those of a name that was granted. */
function addressesOf({ network }: WasiContext, name: string): readonly string[] {
  const numeric = canonicalIp(name);
  if (numeric !== undefined) return [numeric];
  const found = network?.granted.addressesOf(name) ?? fail(errno.acces);
  return found.length === 0 ? fail(errno.noent) : found;
}

/** Services have no names here. */
function portOf(service: string): number {
  if (service === '') return 0;
  const port = /^\d{1,5}$/.test(service) ? Number(service) : fail(errno.inval);
  return port < 65_536 ? port : fail(errno.inval);
}

/** Hints (12): 0 i32 type, -1 for any · 4 u32 family, 2 for any · 8 u8 whether these two count. */
function readHints(
  { memory }: WasiContext,
  address: number,
): { readonly family: AddressFamily | undefined; readonly type: (typeof types)[number] | undefined } {
  const start = memory.range(address, 12);
  if (memory.readU8(start + 8) === 0) return { family: undefined, type: undefined };
  return { family: families[memory.readU32(start + 4)], type: types[memory.readU32(start)] };
}
