/** An open file of the host. */

import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  futimesSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import { ErrnoError, errno, type File, type FileStat, type FileTimes } from '../wasi/index.js';
import { systemErrorCode, withErrno } from './host-filesystem-errors.js';
import { fileStatOf, secondsOf } from './host-filesystem-stat.js';

export class HostFile implements File {
  readonly kind = 'file';
  readonly hasPositions: boolean;
  readonly #fd: number;
  /** The same file opened for appending, from the first append on. */
  #appendFd: number | undefined;

  constructor(fd: number, hasPositions: boolean) {
    this.#fd = fd;
    this.hasPositions = hasPositions;
  }

  stat(): FileStat {
    return withErrno(() => fileStatOf(fstatSync(this.#fd, { bigint: true })));
  }

  read(buffer: Uint8Array, position: number): number | 'would-block' {
    try {
      return readSync(this.#fd, buffer, 0, buffer.length, this.hasPositions ? position : null);
    } catch (error) {
      if (systemErrorCode(error) === 'EAGAIN') return 'would-block';
      return withErrno(() => {
        throw error;
      });
    }
  }

  write(bytes: Uint8Array, position: number): number {
    return withErrno(() => writeSync(this.#fd, bytes, 0, bytes.length, this.hasPositions ? position : null));
  }

  append(bytes: Uint8Array): { written: number; end: number } {
    if (!this.hasPositions) return { written: this.write(bytes, 0), end: 0 };
    this.#appendFd ??= this.#openForAppending();
    const end = this.stat().size;
    const written =
      this.#appendFd === undefined
        ? this.write(bytes, end)
        : withErrno(() => writeSync(this.#appendFd ?? this.#fd, bytes, 0, bytes.length, null));
    return { written, end: this.stat().size };
  }

  truncate(size: number): void {
    if (!this.hasPositions) throw new ErrnoError(errno.inval);
    withErrno(() => ftruncateSync(this.#fd, size));
  }

  setTimes(times: FileTimes): void {
    const [accessed, modified] = secondsOf(times, this.stat());
    withErrno(() => futimesSync(this.#fd, accessed, modified));
  }

  sync(dataOnly: boolean): void {
    withErrno(() => (dataOnly ? fdatasyncSync(this.#fd) : fsyncSync(this.#fd)));
  }

  close(): void {
    if (this.#appendFd !== undefined) closeSync(this.#appendFd);
    withErrno(() => closeSync(this.#fd));
  }

  /**
   * On Linux a second descriptor of the same file, so that the kernel finds the end and others may append, too.
   * Elsewhere the end is looked up before each write.
   */
  #openForAppending(): number | undefined {
    if (process.platform !== 'linux') return undefined;
    try {
      return openSync(`/proc/self/fd/${this.#fd}`, constants.O_WRONLY | constants.O_APPEND);
    } catch {
      return undefined;
    }
  }
}
