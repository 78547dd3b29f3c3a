/** sock_accept, sock_recv, sock_send, sock_shutdown, on sockets that the host handed in. */

import type { CallTable, Guard } from '../call-table.js';
import type { WasiContext } from '../context.js';
import { errno, fail } from '../errno.js';
import type { OpenSocket } from '../fd-table.js';
import { allFdFlags, receiveFlag, shutdownFlag } from '../flags.js';
import type { GuestBuffer } from '../guest-memory.js';
import { right, socketRights } from '../rights.js';
import { waitUntilDone } from '../waiting.js';

export function socketCalls(context: WasiContext, guard: Guard): CallTable {
  const { memory, table } = context;
  return {
    sock_accept: guard((fd: number, flags: number, result: number) => {
      const open = table.socket(fd, right.sockAccept);
      if ((flags & ~allFdFlags) !== 0) fail(errno.inval);
      memory.range(result, 4);
      table.requireRoom();
      const socket = waitUntilDone(context, open, () => open.socket.accept());
      const data = { kind: 'socket', rights: socketRights & ~right.sockAccept, inheriting: 0, flags } as const;
      memory.writeU32(result, table.add({ kind: 'socket', data, socket }));
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
      open.socket.shutdown((how & shutdownFlag.read) !== 0, (how & shutdownFlag.write) !== 0);
    }),
  };
}

/** Through one buffer of our own, so that a datagram is not torn apart. */
export function receiveFromSocket(
  context: WasiContext,
  open: OpenSocket,
  list: readonly GuestBuffer[],
  peek: boolean,
): { readonly length: number; readonly truncated: boolean } {
  const whole = new Uint8Array(totalLength(list));
  const received = waitUntilDone(context, open, () => open.socket.receive(whole, peek));
  let at = 0;
  for (const { address, length } of list) {
    const part = whole.subarray(at, Math.min(at + length, received.length));
    context.memory.write(address, part);
    at += part.length;
  }
  return received;
}

export function sendToSocket(context: WasiContext, open: OpenSocket, list: readonly GuestBuffer[]): number {
  const whole = new Uint8Array(totalLength(list));
  let at = 0;
  for (const { address, length } of list) {
    const part = context.memory.bytes(address, length).subarray(0, whole.length - at);
    whole.set(part, at);
    at += part.length;
  }
  return waitUntilDone(context, open, () => open.socket.send(whole));
}

/** As much as one transfer moves; what is more is left to the next. */
const largestTransfer = 1 << 20;

function totalLength(list: readonly GuestBuffer[]): number {
  return Math.min(
    largestTransfer,
    list.reduce((sum, { length }) => sum + length, 0),
  );
}
