/** From the errors of the host's file system and network to WASI error numbers. */

import { type Errno, ErrnoError, errno } from '../wasi/index.js';

const errnoByCode: ReadonlyMap<string, Errno> = new Map<string, Errno>([
  ['E2BIG', errno.toobig],
  ['EACCES', errno.acces],
  ['EADDRINUSE', errno.addrinuse],
  ['EADDRNOTAVAIL', errno.addrnotavail],
  ['EAFNOSUPPORT', errno.afnosupport],
  ['EAGAIN', errno.again],
  ['EALREADY', errno.already],
  ['EBADF', errno.badf],
  ['EBUSY', errno.busy],
  ['ECONNABORTED', errno.connaborted],
  ['ECONNREFUSED', errno.connrefused],
  ['ECONNRESET', errno.connreset],
  ['EDESTADDRREQ', errno.destaddrreq],
  ['EDQUOT', errno.dquot],
  ['EEXIST', errno.exist],
  ['EFAULT', errno.fault],
  ['EFBIG', errno.fbig],
  ['EHOSTUNREACH', errno.hostunreach],
  ['EILSEQ', errno.ilseq],
  ['EINTR', errno.intr],
  ['EINVAL', errno.inval],
  ['EIO', errno.io],
  ['EISCONN', errno.isconn],
  ['EISDIR', errno.isdir],
  ['ELOOP', errno.loop],
  ['EMFILE', errno.mfile],
  ['EMLINK', errno.mlink],
  ['EMSGSIZE', errno.msgsize],
  ['ENAMETOOLONG', errno.nametoolong],
  ['ENETDOWN', errno.netdown],
  ['ENETRESET', errno.netreset],
  ['ENETUNREACH', errno.netunreach],
  ['ENFILE', errno.nfile],
  ['ENOBUFS', errno.nobufs],
  ['ENODEV', errno.nodev],
  ['ENOENT', errno.noent],
  ['ENOMEM', errno.nomem],
  ['ENOPROTOOPT', errno.noprotoopt],
  ['ENOSPC', errno.nospc],
  ['ENOSYS', errno.nosys],
  ['ENOTCONN', errno.notconn],
  ['ENOTDIR', errno.notdir],
  ['ENOTEMPTY', errno.notempty],
  ['ENOTSUP', errno.notsup],
  ['ENXIO', errno.nxio],
  ['EOPNOTSUPP', errno.notsup],
  ['EOVERFLOW', errno.overflow],
  ['EPERM', errno.perm],
  ['EPIPE', errno.pipe],
  ['EROFS', errno.rofs],
  ['ESPIPE', errno.spipe],
  ['ESTALE', errno.stale],
  ['ETIMEDOUT', errno.timedout],
  ['ETXTBSY', errno.txtbsy],
  ['EXDEV', errno.xdev],
]);

/** The code of a system error (`ENOENT`), undefined for anything else. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** The number of a system error; EINVAL for Node's own complaints about arguments, EIO for what WASI does not know. */
export function errnoOfSystem(error: unknown): Errno {
  const code = systemErrorCode(error) ?? '';
  return code.startsWith('ERR_') ? errno.inval : (errnoByCode.get(code) ?? errno.io);
}

/** Does what `operation` does; a system error becomes an ErrnoError, EIO if it is of no kind that WASI knows. */
export function withErrno<T>(operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    // Errors of our own and faults in this program pass.
    if (systemErrorCode(error) === undefined) throw error;
    throw new ErrnoError(errnoOfSystem(error));
  }
}
