/** The standard streams of this process, for a guest. */

import { fstatSync, readSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { ErrnoError, errno, type InputStream, type OutputStream, type Stdio } from '../wasi/index.js';
import { systemErrorCode, withErrno } from './host-filesystem-errors.js';

export interface NodeStdioOptions {
  /**
   * Where the guest's input comes from. Default: descriptor 0, read on this thread, so that a wait for input can be
   * interrupted by nothing; see input-mailbox.ts for the other way.
   */
  readonly stdin?: InputStream;
}

/** Standard input, output and error. Output is written at once, through no buffer of ours. */
export function nodeStdio({ stdin }: NodeStdioOptions = {}): Stdio {
  return { stdin: stdin ?? blockingInput(0), stdout: descriptorOutput(1), stderr: descriptorOutput(2) };
}

/** A descriptor of this process that is read when the guest reads, and waited for as long as that takes. */
export function blockingInput(fd: number): InputStream {
  return {
    isTty: isatty(fd),
    ready: () => restOfFile(fd) ?? 1,
    read(buffer) {
      for (;;) {
        try {
          return readSync(fd, buffer, 0, buffer.length, null);
        } catch (error) {
          const code = systemErrorCode(error);
          // On Windows the end of a pipe is an error.
          if (code === 'EOF') return 0;
          if (code !== 'EAGAIN') return withErrno(() => raise(error));
          pauseBriefly();
        }
      }
    },
  };
}

/** Writes to a descriptor of this process. */
export function descriptorOutput(fd: number): OutputStream {
  return {
    isTty: isatty(fd),
    write(bytes) {
      for (;;) {
        try {
          return writeSync(fd, bytes, 0, bytes.length, null);
        } catch (error) {
          // The other end of a pipe that does not block is slow: what was asked for must be written all the same.
          if (systemErrorCode(error) !== 'EAGAIN') return withErrno(() => raise(error));
          pauseBriefly();
        }
      }
    },
  };
}

/** Bytes in a regular file, undefined for what is none. That it may be read in part already changes nothing: none waits. */
function restOfFile(fd: number): number | undefined {
  try {
    const stat = fstatSync(fd);
    return stat.isFile() ? Math.max(1, stat.size) : undefined;
  } catch {
    throw new ErrnoError(errno.badf);
  }
}

function raise(error: unknown): never {
  throw error;
}

const never = new Int32Array(new SharedArrayBuffer(4));

/** A millisecond without using the processor. */
function pauseBriefly(): void {
  Atomics.wait(never, 0, 0, 1);
}
