/** Sockets that the host hands to a guest. They belong to this host: a checkpoint with one open is refused. */

export interface Socket {
  readonly type: 'socket-stream' | 'socket-dgram';
  /** Bytes (or connections to accept, counted as 1) that can be had at once. */
  ready(): number | 'end' | 'would-block';
  /** Whether a send would take anything now. */
  writable(): boolean;
  /** EINVAL for a socket that does not listen. */
  accept(): Socket | 'would-block';
  /** 0 is the end. With `peek` the bytes stay. A datagram that does not fit is cut off. */
  receive(buffer: Uint8Array, peek: boolean): { readonly length: number; readonly truncated: boolean } | 'would-block';
  send(bytes: Uint8Array): number | 'would-block';
  shutdown(read: boolean, write: boolean): void;
  close(): void;
}
