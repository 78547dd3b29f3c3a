/** Where a snapshot is read from: bytes one after the other, once. */

import type { MaybePromise } from './wait.js';

export interface SnapshotSource {
  /** Bytes that the source has. */
  readonly size: number;
  /** Puts the next bytes at the start of `into` and says how many; 0 at the end only. */
  read(into: Uint8Array): MaybePromise<number>;
}

/** A snapshot in memory. */
export function bytesSource(bytes: Uint8Array): SnapshotSource {
  let at = 0;
  return {
    size: bytes.length,
    read(into) {
      const part = bytes.subarray(at, at + into.length);
      into.set(part);
      at += part.length;
      return part.length;
    },
  };
}

/** A snapshot in a `Blob` or `File` of a browser. Asynchronous. */
export function blobSource(blob: Blob): SnapshotSource {
  let at = 0;
  return {
    size: blob.size,
    async read(into) {
      const part = new Uint8Array(await blob.slice(at, at + into.length).arrayBuffer());
      into.set(part);
      at += part.length;
      return part.length;
    },
  };
}
