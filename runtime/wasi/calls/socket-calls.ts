/** sock_accept, sock_recv, sock_send, sock_shutdown: preview1's own, on sockets handed in and on those the guest opened. */

import type { CallTable, Guard } from '../call-table.js';
import type { WasiContext } from '../context.js';
import { errno, fail } from '../errno.js';
import type { OpenDescriptor, OpenSocket } from '../fd-table.js';
import { allFdFlags, receiveFlag, shutdownFlag } from '../flags.js';
import { newNetworkState } from '../network-state.js';
import { right, socketRights } from '../rights.js';
import { receiveFromSocket, requireConnection, sendToSocket } from '../socket-transfer.js';
import { waitUntilDone } from '../waiting.js';

export function socketCalls(context: WasiContext, guard: Guard): CallTable {
  const { memory, table } = context;
  return {
    sock_accept: guard((fd: number, flags: number, result: number) => {
      const open = table.socket(fd, right.sockAccept);
      if ((flags & ~allFdFlags) !== 0) fail(errno.inval);
      memory.range(result, 4);
      table.requireRoom();
      memory.writeU32(result, table.add(accept(context, open, flags)));
    }),

    sock_recv: guard(
      (fd: number, buffers: number, count: number, flags: number, result: number, resultFlags: number) => {
        const open = table.socket(fd, right.fdRead);
        if ((flags & ~(receiveFlag.peek | receiveFlag.waitAll)) !== 0) fail(errno.inval);
        const list = memory.buffers(buffers, count);
        memory.range(result, 4);
        memory.range(resultFlags, 2);
        const received = receiveFromSocket(context, open, list, (flags & receiveFlag.peek) !== 0);
        memory.writeU32(result, received.length);
        memory.writeU16(resultFlags, received.truncated ? 1 : 0);
      },
    ),

    sock_send: guard((fd: number, buffers: number, count: number, flags: number, result: number) => {
      const open = table.socket(fd, right.fdWrite);
      if (flags !== 0) fail(errno.inval);
      const list = memory.buffers(buffers, count);
      memory.range(result, 4);
      memory.writeU32(result, sendToSocket(context, open, list));
    }),

    sock_shutdown: guard((fd: number, how: number) => {
      const open = table.socket(fd, right.sockShutdown);
      if (how === 0 || (how & ~(shutdownFlag.read | shutdownFlag.write)) !== 0) fail(errno.inval);
      const [read, write] = [(how & shutdownFlag.read) !== 0, (how & shutdownFlag.write) !== 0];
      const { network } = open;
      if (network !== null) {
        requireConnection(open, 'write');
        network.shut.read ||= read;
        network.shut.write ||= write;
      }
      open.socket.shutdown(read, write);
    }),
  };
}

function accept(context: WasiContext, open: OpenSocket, flags: number): OpenDescriptor {
  const data = { kind: 'socket', rights: socketRights, inheriting: 0, flags } as const;
  if (open.network === null) {
    const socket = waitUntilDone(context, open, () => open.socket.accept());
    return { kind: 'socket', data: { ...data, rights: socketRights & ~right.sockAccept }, socket, network: null };
  }
  const { phase, family, options } = open.network;
  if (phase !== 'listening') fail(errno.inval);
  const { socket, local, remote } = waitUntilDone(context, open, () => open.socket.accept());
  socket.configure(options);
  const network = { ...newNetworkState(family, 'stream'), phase: 'accepted', local, remote, options } as const;
  return { kind: 'socket', data: { ...data }, socket, network: { ...network } };
}
