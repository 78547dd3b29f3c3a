/** From the errors of the host's file system to WASI error numbers. */

import { type Errno, ErrnoError, errno } from '../wasi/index.js';

const errnoByCode: ReadonlyMap<string, Errno> = new Map<string, Errno>([
  ['E2BIG', errno.toobig],
  ['EACCES', errno.acces],
  ['EAGAIN', errno.again],
  ['EBADF', errno.badf],
  ['EBUSY', errno.busy],
  ['EDQUOT', errno.dquot],
  ['EEXIST', errno.exist],
  ['EFAULT', errno.fault],
  ['EFBIG', errno.fbig],
  ['EILSEQ', errno.ilseq],
  ['EINTR', errno.intr],
  ['EINVAL', errno.inval],
  ['EIO', errno.io],
  ['EISDIR', errno.isdir],
  ['ELOOP', errno.loop],
  ['EMFILE', errno.mfile],
  ['EMLINK', errno.mlink],
  ['ENAMETOOLONG', errno.nametoolong],
  ['ENFILE', errno.nfile],
  ['ENODEV', errno.nodev],
  ['ENOENT', errno.noent],
  ['ENOMEM', errno.nomem],
  ['ENOSPC', errno.nospc],
  ['ENOSYS', errno.nosys],
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

/** Does what `operation` does; a system error becomes an ErrnoError, EIO if it is of no kind that WASI knows. */
export function withErrno<T>(operation: () => T): T {
  try {
    return operation();
  } catch (error) {
    const code = systemErrorCode(error);
    // Errors of our own and faults in this program pass; Node's own complaints about arguments are EINVAL.
    if (code === undefined) throw error;
    if (code.startsWith('ERR_')) throw new ErrnoError(errno.inval);
    throw new ErrnoError(errnoByCode.get(code) ?? errno.io);
  }
}
