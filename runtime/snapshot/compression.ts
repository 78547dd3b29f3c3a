/** Compression of single blocks. What a host offers is injected; gzip through Web Streams is there everywhere. */

import { concatenate } from './digest.js';
import { badBlock, noCodec, SnapshotError } from './errors.js';
import type { Compression } from './format.js';
import type { MaybePromise } from './wait.js';

export interface Codec {
  compress(block: Uint8Array): MaybePromise<Uint8Array>;
  /**
   * Gives back exactly `size` bytes, and stops (with any error) as soon as there would be more: what a block claims to
   * unpack to is all that it may cost.
   */
  decompress(block: Uint8Array, size: number): MaybePromise<Uint8Array>;
  /** What one of the others gave is not needed any more: its memory can go at once, before the garbage collector comes. */
  release?(bytes: Uint8Array): void;
}

/** Which of them a host has. */
export type Codecs = { readonly [method in Exclude<Compression, 'none'>]?: Codec | undefined };

/** @throws {SnapshotError} `snapshot/compression` when this host does not have it */
export function codecFor(method: Exclude<Compression, 'none'>, codecs: Codecs): Codec {
  const codec = codecs[method];
  if (codec === undefined) throw new SnapshotError(noCodec(method));
  return codec;
}

/** gzip through Web Streams. Asynchronous. */
export const webCodecs: Codecs = {
  gzip: {
    compress: (block) => throughStream(block, new CompressionStream('gzip'), Number.POSITIVE_INFINITY),
    decompress: (block, size) => throughStream(block, new DecompressionStream('gzip'), size),
  },
};

async function throughStream(
  block: Uint8Array,
  stream: { readonly readable: ReadableStream<Uint8Array>; readonly writable: WritableStream<BufferSource> },
  limit: number,
): Promise<Uint8Array> {
  const writer = stream.writable.getWriter();
  // Both fail when the stream does, and so does the reading below, which is where it is reported.
  const input = Uint8Array.from(block);
  writer.write(input).catch(() => {});
  writer.close().catch(() => {});

  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = stream.readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concatenate(parts);
    size += value.length;
    if (size > limit) {
      await reader.cancel();
      throw new SnapshotError(badBlock(`it holds more than ${limit} bytes`));
    }
    parts.push(value);
  }
}
