/** Error numbers of WASI preview1. The older `wasi_unstable` has the same ones. */
export const errno = {
  success: 0,
  toobig: 1,
  acces: 2,
  addrinuse: 3,
  addrnotavail: 4,
  afnosupport: 5,
  again: 6,
  already: 7,
  badf: 8,
  busy: 10,
  connaborted: 13,
  connrefused: 14,
  connreset: 15,
  destaddrreq: 17,
  dquot: 19,
  exist: 20,
  fault: 21,
  fbig: 22,
  hostunreach: 23,
  ilseq: 25,
  inprogress: 26,
  intr: 27,
  inval: 28,
  io: 29,
  isconn: 30,
  isdir: 31,
  loop: 32,
  mfile: 33,
  mlink: 34,
  msgsize: 35,
  nametoolong: 37,
  netdown: 38,
  netreset: 39,
  netunreach: 40,
  nfile: 41,
  nobufs: 42,
  nodev: 43,
  noent: 44,
  nomem: 48,
  noprotoopt: 50,
  nospc: 51,
  nosys: 52,
  notconn: 53,
  notdir: 54,
  notempty: 55,
  notsock: 57,
  notsup: 58,
  notty: 59,
  nxio: 60,
  overflow: 61,
  perm: 63,
  pipe: 64,
  protonosupport: 66,
  rofs: 69,
  spipe: 70,
  stale: 72,
  timedout: 73,
  txtbsy: 74,
  xdev: 75,
  notcapable: 76,
} as const;

export type Errno = (typeof errno)[keyof typeof errno];

/** Ends a call with this error number. File systems and stdio throw it too; nothing of it reaches the guest but the number. */
export class ErrnoError extends Error {
  override name = 'ErrnoError';
  readonly errno: Errno;

  constructor(number: Errno) {
    super(`WASI error number ${number}`);
    this.errno = number;
  }
}

/** Ends the call that is under way. */
export function fail(number: Errno): never {
  throw new ErrnoError(number);
}

/** The error number that ended `attempt`, or undefined when it went well. Anything that is no error number passes through. */
export function errnoOf(attempt: () => void): Errno | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (error instanceof ErrnoError) return error.errno;
    throw error;
  }
}
