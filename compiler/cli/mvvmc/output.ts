/**
 * Writing what was made: to standard output, or to a file that is either the old one or the whole new one.
 */

import { randomBytes } from 'node:crypto';
import { open, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { CommandLineError, fileProblem } from '../errors.js';

export type Content = string | Uint8Array;

/**
 * Refuses, before any work is done, an output that would destroy the input or fill a terminal with binary.
 * @throws {CommandLineError}
 */
export async function checkOutput(output: string, input: string, binary: boolean): Promise<void> {
  if (output === '-') {
    if (binary && process.stdout.isTTY) {
      throw new CommandLineError(
        'the module is binary and standard output is a terminal',
        'add -o <file> or --emit=wat',
      );
    }
  } else if (input !== '-' && (await isSameFile(output, input))) {
    throw new CommandLineError(`${output} is the input and would be replaced`, 'name another output, or add --force');
  }
}

/**
 * @param path a file, or `-` for standard output
 * @throws {FileError} when it cannot be written; what was there before is then still there
 */
export async function writeOutput(path: string, content: Content): Promise<void> {
  if (path === '-') return writeStandardOutput(content);
  try {
    if (await isReplaceable(path)) await replace(path, content);
    else await writeFile(path, content);
  } catch (error) {
    throw fileProblem('write', path, error);
  }
}

/** Waits until a reader has taken everything; a reader that went away early, like `head`, is no error. */
export async function writeStandardOutput(content: Content): Promise<void> {
  const failure = await new Promise<NodeJS.ErrnoException | null | undefined>((done) => {
    process.stdout.once('error', done);
    process.stdout.write(content, done);
  });
  if (failure && failure.code !== 'EPIPE') throw fileProblem('write', 'standard output', failure);
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  try {
    const [a, b] = await Promise.all([stat(one), stat(other)]);
    return a.isFile() && a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}

/** Devices and pipes are written to, not replaced. */
async function isReplaceable(path: string): Promise<boolean> {
  try {
    const found = await stat(path);
    return found.isFile();
  } catch {
    return true;
  }
}

/** A symbolic link is replaced, what it points to stays as it is. */
async function replace(path: string, content: Content): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  const file = await open(temporary, 'wx');
  try {
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}
