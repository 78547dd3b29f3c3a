/** What can be wrong before and after the compile itself. */

import * as z from 'zod';

/** Wrong words on the command line: status 2. */
export class CommandLineError extends Error {
  override readonly name = 'CommandLineError';
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** A file or a stream that cannot be used as asked: status 1. */
export class FileError extends Error {
  override readonly name = 'FileError';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

const systemError = z.object({ code: z.string().optional(), message: z.string() });

const problems: Readonly<Record<string, readonly [problem: string, hint: string]>> = {
  ENOENT: ['no such file or folder', 'check the path'],
  ENOTDIR: ['part of the path is a file, not a folder', 'check the path'],
  EISDIR: ['is a folder', 'name a file'],
  EACCES: ['permission denied', 'check who owns it'],
  EPERM: ['not permitted', 'check who owns it'],
  EROFS: ['the file system is read-only', 'write elsewhere'],
  ENOSPC: ['no space left', 'make room, or write elsewhere'],
  ENAMETOOLONG: ['the name is too long', 'choose a shorter one'],
  // Opening a socket.
  ENXIO: ['it is a FIFO, device or socket', 'name a file'],
  ELOOP: ['symbolic links in a circle', 'check the path'],
  ERR_FS_FILE_TOO_LARGE: ['larger than 2 GiB', 'a module of that size cannot be compiled'],
};

/** What the system's error means for this file. */
export function fileProblem(verb: 'read' | 'write', path: string, error: unknown): FileError {
  const { code, message } = systemError.catch({ message: String(error) }).parse(error);
  const [problem, hint] = problems[code ?? ''] ?? [message];
  return new FileError(`cannot ${verb} ${path}: ${problem}`, hint);
}

export function noFile(path: string): FileError {
  return new FileError(`cannot read ${path}: it is a FIFO, device or socket`, 'name a file');
}
