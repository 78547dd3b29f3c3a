/** Words as the little-endian bytes in which they are stored, on hosts of either byte order. */

const hostIsLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

/** The words' bytes: a view where the host is little-endian, else a copy. */
export function bytesOfWords(words: Uint32Array | Int32Array): Uint8Array {
  const bytes = new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
  return hostIsLittleEndian ? bytes : swapped(bytes);
}

/** The inverse; `bytes` are not used afterwards and start where words may start. */
export function wordsOfBytes(bytes: Uint8Array): Uint32Array {
  const native = hostIsLittleEndian && bytes.byteOffset % 4 === 0 ? bytes : swappedUnlessNative(bytes);
  return new Uint32Array(native.buffer, native.byteOffset, native.length / 4);
}

function swappedUnlessNative(bytes: Uint8Array): Uint8Array {
  return hostIsLittleEndian ? bytes.slice() : swapped(bytes);
}

function swapped(bytes: Uint8Array): Uint8Array {
  return bytes.map((_, index) => bytes[index ^ 3] ?? 0);
}
