/** The WASI preview1 host: no Node here, see runtime/node for its file system and streams. */

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
export { ProcExit } from './proc-exit.js';
export { type RandomSource, type RandomState, seededRandom, systemRandom } from './random.js';
export type { Socket } from './socket.js';
export { type WasiState, wasiStateSchema } from './state.js';
export { type InputStream, inputOf, type OutputStream, outputTo, type Stdio } from './stdio.js';
export type { WaitOutcome, WaitRequest } from './wait.js';
export { createWasi, restoreWasi, type Wasi, type WasiOptions, type WasiRestoreOptions } from './wasi.js';
