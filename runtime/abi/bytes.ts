/** Reading and writing of the little binary formats of this project: LEB128 numbers, UTF-8 strings, bounded counts. */

/** Thrown by {@link ByteReader} for input that is not what it claims to be. */
export class MalformedBytes extends Error {
  override name = 'MalformedBytes';
}

/** Collects bytes; numbers are unsigned LEB128, strings are UTF-8 behind their length in bytes. */
export class ByteWriter {
  readonly #bytes: number[] = [];

  u8(value: number): this {
    this.#bytes.push(value & 0xff);
    return this;
  }

  /** An unsigned integer below 2^32. */
  u32(value: number): this {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.#bytes.push((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.#bytes.push(rest);
    return this;
  }

  bytes(value: Uint8Array): this {
    for (const byte of value) this.#bytes.push(byte);
    return this;
  }

  text(value: string): this {
    const bytes = encodeUtf8(value);
    return this.u32(bytes.length).bytes(bytes);
  }

  list<T>(values: readonly T[], write: (value: T) => void): this {
    this.u32(values.length);
    for (const value of values) write(value);
    return this;
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes);
  }
}

/** Reads what {@link ByteWriter} wrote. Never reads past the end and never believes a count the rest cannot hold. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new MalformedBytes(`ends at byte ${this.#at} where more was expected`);
    this.#at += 1;
    return byte;
  }

  u32(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.u8();
      if (shift === 28 && byte > 0x0f) break;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new MalformedBytes(`the number before byte ${this.#at} does not fit 32 bits`);
  }

  /** A count of items of at least `minimumSize` bytes each. */
  count(minimumSize = 1): number {
    const count = this.u32();
    if (count * minimumSize > this.left) {
      throw new MalformedBytes(`claims ${count} items before byte ${this.#at}, but only ${this.left} bytes are left`);
    }
    return count;
  }

  bytes(length: number): Uint8Array {
    if (length > this.left)
      throw new MalformedBytes(`ends at byte ${this.#bytes.length}, ${length} bytes were expected`);
    const slice = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return slice;
  }

  /** What is left, which stays to be read. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#at);
  }

  text(): string {
    return decodeUtf8(this.bytes(this.count()));
  }

  list<T>(read: () => T, minimumSize = 1): T[] {
    return Array.from({ length: this.count(minimumSize) }, read);
  }

  end(): void {
    if (this.left > 0) throw new MalformedBytes(`has ${this.left} bytes too many at its end`);
  }
}

// TextEncoder and TextDecoder exist in every engine we run on, but belong to no ECMAScript library that this layer,
// which knows neither browsers nor Node, is compiled against.
declare const TextEncoder: new () => { encode(text: string): Uint8Array };
declare const TextDecoder: new (
  label: string,
  options: { fatal: boolean; ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

export function encodeUtf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new MalformedBytes('holds a text that is not UTF-8');
  }
}
