/** The name section, which tools write in more ways than Binaryen reads. */

import { ByteReader, MalformedBytes } from '../../runtime/abi/index.js';

const headerSize = 8;
const customSection = 0;

/** The same module without its name section; undefined when it has none. Names mean nothing to a program. */
export function withoutNames(bytes: Uint8Array): Uint8Array | undefined {
  const kept: Uint8Array[] = [bytes.subarray(0, headerSize)];
  const reader = new ByteReader(bytes.subarray(headerSize));
  let found = false;
  try {
    while (reader.left > 0) {
      const start = bytes.length - reader.left;
      const id = reader.u8();
      const content = new ByteReader(reader.bytes(reader.u32()));
      if (id === customSection && content.text() === 'name') found = true;
      else kept.push(bytes.subarray(start, bytes.length - reader.left));
    }
  } catch (error) {
    if (error instanceof MalformedBytes) return undefined;
    throw error;
  }
  if (!found) return undefined;
  const rest = new Uint8Array(kept.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of kept) {
    rest.set(part, at);
    at += part.length;
  }
  return rest;
}
