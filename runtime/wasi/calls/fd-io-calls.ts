/** fd_read, fd_write, fd_pread, fd_pwrite, fd_seek, fd_tell. */

import type { CallTable, Guard } from '../call-table.js';
import type { WasiContext } from '../context.js';
import { errno, fail } from '../errno.js';
import type { OpenDescriptor, OpenFile } from '../fd-table.js';
import { type Dialect, fdFlag } from '../flags.js';
import type { GuestBuffer } from '../guest-memory.js';
import { right } from '../rights.js';
import { receiveFromSocket, sendToSocket } from '../socket-transfer.js';
import { waitUntilDone } from '../waiting.js';

type Whence = 'start' | 'current' | 'end';

/** The codes of where a seek begins differ between the two generations. */
const whences: Readonly<Record<Dialect, readonly Whence[]>> = {
  wasi_snapshot_preview1: ['start', 'current', 'end'],
  wasi_unstable: ['current', 'end', 'start'],
};

export function fdIoCalls(context: WasiContext, guard: Guard, dialect: Dialect): CallTable {
  const { memory, table } = context;

  const fileWithPositions = (fd: number, rights: number): OpenFile => {
    const open = table.file(fd, rights);
    return open.file.hasPositions ? open : fail(errno.spipe);
  };

  const seek = (fd: number, delta: bigint, whence: Whence): bigint => {
    const onlyTells = whence === 'current' && delta === 0n;
    const { data, file } = fileWithPositions(fd, onlyTells ? right.fdTell : right.fdSeek);
    const origin = whence === 'start' ? 0 : whence === 'current' ? data.offset : file.stat().size;
    const target = BigInt(origin) + delta;
    if (target < 0n) fail(errno.inval);
    data.offset = positionOf(target);
    return target;
  };

  return {
    fd_read: guard((fd: number, buffers: number, count: number, result: number) => {
      const descriptor = table.get(fd, right.fdRead);
      const list = memory.buffers(buffers, count);
      memory.range(result, 4);
      memory.writeU32(result, readSome(context, descriptor, list));
    }),

    fd_write: guard((fd: number, buffers: number, count: number, result: number) => {
      const descriptor = table.get(fd, right.fdWrite);
      const list = memory.buffers(buffers, count);
      memory.range(result, 4);
      memory.writeU32(result, writeSome(context, descriptor, list));
    }),

    fd_pread: guard((fd: number, buffers: number, count: number, offset: bigint, result: number) => {
      const descriptor = fileWithPositions(fd, right.fdRead | right.fdSeek);
      const list = memory.buffers(buffers, count);
      memory.range(result, 4);
      memory.writeU32(result, readAt(context, descriptor, list, positionOf(BigInt.asUintN(64, offset))));
    }),

    fd_pwrite: guard((fd: number, buffers: number, count: number, offset: bigint, result: number) => {
      const descriptor = fileWithPositions(fd, right.fdWrite | right.fdSeek);
      const list = memory.buffers(buffers, count);
      memory.range(result, 4);
      memory.writeU32(result, writeAt(context, descriptor, list, positionOf(BigInt.asUintN(64, offset))));
    }),

    fd_seek: guard((fd: number, delta: bigint, whence: number, result: number) => {
      table.get(fd);
      memory.range(result, 8);
      const origin = whences[dialect][whence] ?? fail(errno.inval);
      memory.writeU64(result, seek(fd, BigInt.asIntN(64, delta), origin));
    }),

    fd_tell: guard((fd: number, result: number) => {
      const { data } = fileWithPositions(fd, right.fdTell);
      memory.writeU64(result, BigInt(data.offset));
    }),
  };
}

/** Offsets beyond 2^53 - 1 exist in no file that we can open. */
export function positionOf(offset: bigint): number {
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) fail(errno.overflow);
  return Number(offset);
}

function readSome(context: WasiContext, descriptor: OpenDescriptor, list: readonly GuestBuffer[]): number {
  switch (descriptor.kind) {
    case 'directory':
      return fail(errno.isdir);
    case 'socket':
      return receiveFromSocket(context, descriptor, list, false).length;
    case 'file': {
      const length = readAt(context, descriptor, list, descriptor.data.offset);
      descriptor.data.offset += length;
      return length;
    }
    case 'stdio': {
      if (descriptor.data.stream !== 'stdin') fail(errno.badf);
      const { stdin } = descriptor.stdio;
      // What is there for the first buffer is returned: to fill the others, too, could mean to wait.
      const first = list.filter(({ length }) => length > 0).slice(0, 1);
      return fillBuffers(context, first, (buffer) => waitUntilDone(context, descriptor, () => stdin.read(buffer)));
    }
  }
}

function readAt(context: WasiContext, open: OpenFile, list: readonly GuestBuffer[], position: number): number {
  let at = position;
  return fillBuffers(context, list, (buffer, isFirst) => {
    const length = isFirst
      ? waitUntilDone(context, open, () => open.file.read(buffer, at))
      : open.file.read(buffer, at);
    if (length === 'would-block') return 0;
    at += length;
    return length;
  });
}

/** As much of one buffer as one transfer moves, 1 GiB: hosts take no more at once. */
const largestTransfer = 2 ** 30;

/** Fills the buffers one after the other, up to the first that is not filled. */
function fillBuffers(
  context: WasiContext,
  list: readonly GuestBuffer[],
  read: (buffer: Uint8Array, isFirst: boolean) => number,
): number {
  let total = 0;
  for (const { address, length } of list) {
    if (length === 0) continue;
    const part = read(context.memory.writable(address, Math.min(length, largestTransfer)), total === 0);
    context.memory.wrote(address, part);
    total += part;
    if (part < length) break;
  }
  return total;
}

function writeSome(context: WasiContext, descriptor: OpenDescriptor, list: readonly GuestBuffer[]): number {
  switch (descriptor.kind) {
    case 'directory':
      return fail(errno.isdir);
    case 'socket':
      return sendToSocket(context, descriptor, list, { mustEnd: true });
    case 'stdio': {
      const { stream } = descriptor.data;
      if (stream === 'stdin') fail(errno.badf);
      const output = descriptor.stdio[stream];
      return drainBuffers(context, list, (bytes) => output.write(bytes));
    }
    case 'file': {
      const { data, file } = descriptor;
      if ((data.flags & fdFlag.append) === 0) {
        const length = writeAt(context, descriptor, list, data.offset);
        data.offset += length;
        return length;
      }
      const total = drainBuffers(context, list, (bytes) => {
        const { written, end } = file.append(bytes);
        data.offset = end;
        return written;
      });
      syncIfAsked(descriptor);
      return total;
    }
  }
}

function writeAt(context: WasiContext, open: OpenFile, list: readonly GuestBuffer[], position: number): number {
  let at = position;
  const total = drainBuffers(context, list, (bytes) => {
    const length = open.file.write(bytes, at);
    at += length;
    return length;
  });
  syncIfAsked(open);
  return total;
}

/** Writes the buffers one after the other, up to the first that is not taken whole. */
function drainBuffers(
  context: WasiContext,
  list: readonly GuestBuffer[],
  write: (bytes: Uint8Array) => number,
): number {
  let total = 0;
  for (const { address, length } of list) {
    if (length === 0) continue;
    let part: number;
    try {
      part = write(context.memory.bytes(address, Math.min(length, largestTransfer)));
    } catch (error) {
      // What was written stays written: the guest learns how much, and of the fault when it goes on.
      if (total > 0) return total;
      throw error;
    }
    total += part;
    if (part < length) break;
  }
  return total;
}

function syncIfAsked({ data, file }: OpenFile): void {
  if ((data.flags & fdFlag.sync) !== 0) file.sync(false);
  else if ((data.flags & fdFlag.dsync) !== 0) file.sync(true);
}
