/**
 * Writing to this process's own streams, at once and whole: the process may end right after, and the guest writes to
 * the same streams from its own thread.
 */

import { descriptorOutput } from '../../../runtime/node/index.js';

const standardOutput = descriptorOutput(1);
const standardError = descriptorOutput(2);

/** @throws {ErrnoError} when nobody reads it any more */
export function writeStandardOutput(text: string): void {
  writeAll(standardOutput, text);
}

/** What nobody can read is not worth failing for. */
export function writeStandardError(text: string): void {
  try {
    writeAll(standardError, text);
  } catch {
    // Standard error is closed: there is nowhere to say so.
  }
}

function writeAll(output: typeof standardOutput, text: string): void {
  let rest: Uint8Array = Buffer.from(text);
  while (rest.length > 0) rest = rest.subarray(output.write(rest));
}
