/** Errors about a file say which. */

import { inFile, ioFailed, isSnapshotError, SnapshotError } from '../snapshot/index.js';

/** Errors of ours name the file, errors of the operating system become ours, others (of callbacks) are passed on. */
export function nameFile(error: unknown, path: string, action: 'written' | 'read'): unknown {
  if (isSnapshotError(error)) return inFile(error, path);
  if (!isSystemError(error)) return error;
  return inFile(new SnapshotError(ioFailed(action, error.message), { cause: error }), path);
}

function isSystemError(error: unknown): error is { readonly message: string } {
  return typeof error === 'object' && error !== null && 'syscall' in error && 'message' in error;
}
