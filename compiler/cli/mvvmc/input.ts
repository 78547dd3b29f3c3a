/** Reading what a command line names. */

import { CommandLineError, fileProblem } from '../errors.js';
import { readFile } from '../read-file.js';

/**
 * All bytes of a file or a pipe, or of standard input for `-`.
 * @throws {FileError} when it cannot be read
 * @throws {CommandLineError} when standard input is a terminal
 */
export function readInput(path: string): Promise<Uint8Array> {
  return path === '-' ? readStandardInput() : readFile(path, 'wait');
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
