/** Reading what a command line names. */

import { type FileHandle, open } from 'node:fs/promises';
import { CommandLineError, fileProblem, noFile } from '../errors.js';

/**
 * All bytes of a file, or of standard input for `-`.
 * @throws {FileError} when it cannot be read
 * @throws {CommandLineError} when standard input is a terminal
 */
export async function readInput(path: string): Promise<Uint8Array> {
  if (path === '-') return readStandardInput();
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const stats = await file.stat();
    // A pipe is as good as a file, but a device may never end.
    if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return await file.readFile();
  } catch (error) {
    throw fileProblem('read', path, error);
  } finally {
    await file?.close();
  }
  throw noFile(path);
}

async function readStandardInput(): Promise<Uint8Array> {
  if (process.stdin.isTTY) {
    throw new CommandLineError('standard input is a terminal', 'name a file, or feed a module through a pipe');
  }
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of process.stdin) chunks.push(chunk);
  } catch (error) {
    throw fileProblem('read', 'standard input', error);
  }
  return Buffer.concat(chunks);
}
