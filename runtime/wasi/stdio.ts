/** Standard input, output and error of a guest, and two implementations in memory. */

export interface InputStream {
  readonly isTty: boolean;
  /** Bytes that can be read at once (at least so many), `end`, or `would-block` when there is nothing yet. */
  ready(): number | 'end' | 'would-block';
  /** Reads what is there, as far as it fits. 0 is the end. */
  read(buffer: Uint8Array): number | 'would-block';
}

export interface OutputStream {
  readonly isTty: boolean;
  /** Writes as much as it takes now, at least one byte unless there is none. Throws ErrnoError, EPIPE for example. */
  write(bytes: Uint8Array): number;
}

export interface Stdio {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

/** Input that is all there from the beginning. */
export function inputOf(bytes: Uint8Array): InputStream {
  let rest = bytes;
  return {
    isTty: false,
    ready: () => (rest.length > 0 ? rest.length : 'end'),
    read(buffer) {
      const part = rest.subarray(0, buffer.length);
      buffer.set(part);
      rest = rest.subarray(part.length);
      return part.length;
    },
  };
}

/** Output that hands each piece on, as a copy. */
export function outputTo(receive: (bytes: Uint8Array) => void): OutputStream {
  return {
    isTty: false,
    write(bytes) {
      receive(bytes.slice());
      return bytes.length;
    },
  };
}
