/**
 * The WASI preview1 host, also under its older name `wasi_unstable`. No Node here: its file system and streams are in
 * runtime/node.
 *
 * A call travels from wasi.ts (the tables of imports) through call-table.ts (errors become numbers) to one of calls/,
 * which reads its arguments from guest-memory.ts, finds the descriptor in fd-table.ts, and for a path lets
 * path-resolver.ts walk to a directory of a filesystem.ts. save.ts and restore.ts turn the table into state.ts and back.
 * Sockets that a guest opens are those of a network.ts, on addresses that address-grants.ts allows; what a snapshot keeps
 * of them is in network-state.ts, and how they come back in socket-restore.ts.
 *
 * Known limits (docs/limits.md has all): `fd_allocate` makes a file long enough without reserving room on the disk; the
 * time spent by a process is the time that passed; a file that was deleted while it is open, a named pipe, a device or a
 * socket that the host handed in cannot be saved.
 */

export { type AddressGrant, GrantedAddresses, parseAddressGrant } from './address-grants.js';
export { type AddressFamily, anyAddress, canonicalIp, type SocketAddress, showAddress } from './addresses.js';
export { tablesOnDemand } from './call-table.js';
export { type Clock, systemClock, type VirtualClockOptions, virtualClock } from './clock.js';
export { WasiError } from './diagnostics.js';
export { type Errno, ErrnoError, errno } from './errno.js';
export type {
  Directory,
  DirectoryEntry,
  File,
  FileStat,
  FileTimes,
  OpenOptions,
  Preopen,
} from './filesystem.js';
export type { FileType } from './flags.js';
export { createMemoryDirectory, type MemoryTree } from './memory-filesystem.js';
export type { AcceptedConnection, Network, NetworkSocket, Unread } from './network.js';
export { defaultOptions, type SocketOptions } from './network-state.js';
export { ProcExit } from './proc-exit.js';
export { type RandomSource, type RandomState, seededRandom, systemRandom } from './random.js';
export type { Datagram, Received, Socket, Transfer } from './socket.js';
export { type WasiState, wasiStateSchema } from './state.js';
export { type InputStream, inputOf, type OutputStream, outputTo, type Stdio } from './stdio.js';
export type { WaitOutcome, WaitRequest } from './wait.js';
export { createWasi, restoreWasi, type Wasi, type WasiOptions, type WasiRestoreOptions } from './wasi.js';
