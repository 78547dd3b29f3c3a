/** Reading the files that a command line names. */

import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { fileProblem, noFile } from './errors.js';

/**
 * All bytes of a file. A device may never end, and is no file.
 * @param pipes whether a pipe is as good as a file: whoever waits for one is deaf to signals meanwhile
 * @throws {FileError}
 */
export async function readFile(path: string, pipes: 'wait' | 'refuse'): Promise<Uint8Array> {
  const withoutWaiting = pipes === 'wait' ? 0 : (constants.O_NONBLOCK ?? 0);
  let file: FileHandle | undefined;
  try {
    file = await open(path, constants.O_RDONLY | withoutWaiting);
    const stats = await file.stat();
    // Reading a directory gives the error that says so.
    const isReadable = stats.isFile() || stats.isDirectory() || (pipes === 'wait' && stats.isFIFO());
    if (isReadable) return await file.readFile();
  } catch (error) {
    throw fileProblem('read', path, error);
  } finally {
    await file?.close();
  }
  throw noFile(path);
}
