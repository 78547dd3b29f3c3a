/** fd_close, fd_renumber, fd_prestat_*, fd_fdstat_*, fd_filestat_*, fd_advise, fd_allocate, fd_sync, fd_datasync. */

import { encodeUtf8 } from '../../abi/index.js';
import type { CallTable, Guard } from '../call-table.js';
import type { WasiContext } from '../context.js';
import { errno, fail } from '../errno.js';
import type { OpenDescriptor } from '../fd-table.js';
import type { FileStat } from '../filesystem.js';
import { allFdFlags, type Dialect, type FileType, fdFlag } from '../flags.js';
import { includesRights, namesUnknownRights, readRights, right } from '../rights.js';
import { fdstatSize, filestatSize, writeFdStat, writeFileStat } from '../structs.js';
import { readTimes } from '../times.js';
import { positionOf } from './fd-io-calls.js';

const lastAdvice = 5;

export function fdStatusCalls(context: WasiContext, guard: Guard, dialect: Dialect): CallTable {
  const { clocks, memory, table } = context;

  const preopenName = (fd: number): Uint8Array => {
    const descriptor = table.get(fd);
    if (descriptor.kind !== 'directory' || !descriptor.data.preopened) fail(errno.badf);
    return encodeUtf8(descriptor.data.place.preopen);
  };

  return {
    fd_close: guard((fd: number) => table.close(fd)),

    fd_renumber: guard((from: number, to: number) => table.renumber(from, to)),

    fd_prestat_get: guard((fd: number, result: number) => {
      const name = preopenName(fd);
      memory.range(result, 8);
      memory.writeU32(result, 0);
      memory.writeU32(result + 4, name.length);
    }),

    fd_prestat_dir_name: guard((fd: number, address: number, length: number) => {
      const name = preopenName(fd);
      if (length >>> 0 < name.length) fail(errno.nametoolong);
      memory.write(address, name);
    }),

    fd_fdstat_get: guard((fd: number, result: number) => {
      const descriptor = table.get(fd);
      memory.range(result, fdstatSize);
      const { flags, rights, inheriting } = descriptor.data;
      writeFdStat(memory, result, { type: typeOf(descriptor), flags, rights, inheriting });
    }),

    fd_fdstat_set_flags: guard((fd: number, flags: number) => {
      const { data } = table.get(fd, right.fdFdstatSetFlags);
      if ((flags & ~allFdFlags) !== 0) fail(errno.inval);
      if ((flags & (fdFlag.sync | fdFlag.rsync)) !== 0 && !includesRights(data.rights, right.fdSync))
        fail(errno.notcapable);
      if ((flags & fdFlag.dsync) !== 0 && !includesRights(data.rights, right.fdDatasync)) fail(errno.notcapable);
      data.flags = flags;
    }),

    fd_fdstat_set_rights: guard((fd: number, rights: bigint, inheriting: bigint) => {
      const { data } = table.get(fd);
      if (namesUnknownRights(rights) || namesUnknownRights(inheriting)) fail(errno.notcapable);
      const [base, passedOn] = [readRights(rights), readRights(inheriting)];
      if (!includesRights(data.rights, base) || !includesRights(data.inheriting, passedOn)) fail(errno.notcapable);
      data.rights = base;
      data.inheriting = passedOn;
    }),

    fd_filestat_get: guard((fd: number, result: number) => {
      const descriptor = table.get(fd, right.fdFilestatGet);
      memory.range(result, filestatSize(dialect));
      writeFileStat(memory, result, statOf(descriptor), dialect);
    }),

    fd_filestat_set_size: guard((fd: number, size: bigint) => {
      const { file } = table.file(fd, right.fdFilestatSetSize);
      file.truncate(sizeOf(BigInt.asUintN(64, size)));
    }),

    fd_filestat_set_times: guard((fd: number, accessed: bigint, modified: bigint, flags: number) => {
      const descriptor = table.get(fd, right.fdFilestatSetTimes);
      const times = readTimes(accessed, modified, flags, clocks);
      if (descriptor.kind === 'file') descriptor.file.setTimes(times);
      else if (descriptor.kind === 'directory') descriptor.directory.setTimesOf('.', times);
      else fail(errno.notsup);
    }),

    // Advice changes nothing that a guest could see: it is checked and not passed on.
    fd_advise: guard((fd: number, offset: bigint, length: bigint, advice: number) => {
      const descriptor = table.get(fd, right.fdAdvise);
      if (descriptor.kind === 'stdio' || descriptor.kind === 'socket') fail(errno.spipe);
      if (advice < 0 || advice > lastAdvice) fail(errno.inval);
      if (BigInt.asIntN(64, offset) < 0n || BigInt.asIntN(64, length) < 0n) fail(errno.inval);
    }),

    // Makes the file long enough. That the disk has the room is not promised: JavaScript has no call that reserves it.
    fd_allocate: guard((fd: number, offset: bigint, length: bigint) => {
      const { file } = table.file(fd, right.fdAllocate);
      if (BigInt.asUintN(64, length) === 0n) fail(errno.inval);
      const end = sizeOf(BigInt.asUintN(64, offset) + BigInt.asUintN(64, length));
      if (file.stat().size < end) file.truncate(end);
    }),

    fd_sync: guard((fd: number) => sync(table.get(fd, right.fdSync), false)),

    fd_datasync: guard((fd: number) => sync(table.get(fd, right.fdDatasync), true)),
  };
}

function sizeOf(size: bigint): number {
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) fail(errno.fbig);
  return positionOf(size);
}

function sync(descriptor: OpenDescriptor, dataOnly: boolean): void {
  if (descriptor.kind === 'file') descriptor.file.sync(dataOnly);
  else if (descriptor.kind === 'directory') descriptor.directory.sync();
  else if (descriptor.kind === 'socket') fail(errno.inval);
}

/** The type is asked for at each call only where it can differ. */
function typeOf(descriptor: OpenDescriptor): FileType {
  switch (descriptor.kind) {
    case 'directory':
      return 'directory';
    case 'file':
      return descriptor.file.stat().type;
    case 'socket':
      return descriptor.socket.type;
    case 'stdio':
      return descriptor.stdio[descriptor.data.stream].isTty ? 'character-device' : 'unknown';
  }
}

function statOf(descriptor: OpenDescriptor): FileStat {
  if (descriptor.kind === 'file') return descriptor.file.stat();
  if (descriptor.kind === 'directory') return descriptor.directory.stat();
  const type = typeOf(descriptor);
  return { device: 0n, inode: 0n, type, links: 1n, size: 0, accessed: 0n, modified: 0n, changed: 0n };
}
