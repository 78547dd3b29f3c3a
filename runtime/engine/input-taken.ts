/**
 * Input that was taken from its source but not yet read by the guest. A host that must look for input by taking some
 * (a terminal or a pipe has no other way to ask) keeps it; a snapshot takes it along, so that none is lost.
 */

import type { InputStream } from '../wasi/index.js';

/** An input that can say what it has taken too early. */
export interface LookingInputStream extends InputStream {
  /** What the guest is yet to be given before anything else. */
  readonly taken?: () => Uint8Array;
}

/** Gives the guest these bytes before the source is asked for any. */
export function inputAfter(first: Uint8Array, source: LookingInputStream): Required<LookingInputStream> {
  let rest = first;
  return {
    isTty: source.isTty,
    ready: () => (rest.length > 0 ? rest.length : source.ready()),
    read(buffer) {
      if (rest.length === 0) return source.read(buffer);
      const part = rest.subarray(0, buffer.length);
      buffer.set(part);
      rest = rest.subarray(part.length);
      return part.length;
    },
    taken: () => Uint8Array.of(...rest, ...(source.taken?.() ?? [])),
  };
}
