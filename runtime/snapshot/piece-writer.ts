/**
 * The body of a snapshot on its way out: bytes go in, chunks of at most 512 KiB come out, hashed piece by piece. Large
 * parts come out as the views that went in, unless the hasher wants the piece in a place of its own; small ones are
 * gathered.
 */

import { bodyDigest, type PieceHasher } from './digest.js';
import { SnapshotError, unwritable } from './errors.js';
import { CHUNK_BYTES, PIECE_BYTES } from './format.js';
import { type ChunkTask, wait } from './wait.js';

/** Less is gathered: a chunk costs a call of the system. */
const WORTH_A_CHUNK: number = CHUNK_BYTES / 2;

export class PieceWriter {
  readonly #hasher: PieceHasher;
  /** Where small parts are gathered when the piece has no place. */
  readonly #own: Uint8Array;
  #piece: ReturnType<PieceHasher['beginPiece']> | undefined;
  /** Bytes of the piece that were put out, and those gathered behind them. */
  #putOut = 0;
  #gathered = 0;
  /** Bytes of the pieces before. */
  #before = 0;

  /** @param mostBytes there will not be more */
  constructor(hasher: PieceHasher, mostBytes: number) {
    this.#hasher = hasher;
    this.#own = new Uint8Array(Math.min(CHUNK_BYTES, mostBytes));
  }

  *write(bytes: Uint8Array): ChunkTask<void> {
    const size = bytes.length;
    for (let at = 0; at < size; ) {
      if (bytes.length !== size) throw sizeChanged();
      this.#piece ??= this.#hasher.beginPiece();
      const part = bytes.subarray(at, at + CHUNK_BYTES - (this.#used % CHUNK_BYTES));
      if (typeof this.#piece === 'function' && part.length >= WORTH_A_CHUNK) {
        yield* this.#putOutGathered();
        this.#piece(part);
        this.#putOut += part.length;
        yield part;
      } else {
        this.#gather(part, this.#piece);
        if (this.#used % CHUNK_BYTES === 0) yield* this.#putOutGathered();
      }
      at += part.length;
      if (this.#used === PIECE_BYTES) yield* this.#endPiece();
    }
  }

  /** Puts out what is left. The digest of everything, and how many bytes it was. */
  *finish(): ChunkTask<{ digest: Uint8Array; bytes: number }> {
    yield* this.#endPiece();
    return { digest: yield* bodyDigest(this.#hasher, this.#before), bytes: this.#before };
  }

  get #used(): number {
    return this.#putOut + this.#gathered;
  }

  #gather(part: Uint8Array, piece: ReturnType<PieceHasher['beginPiece']>): void {
    if (typeof piece === 'function') this.#own.set(part, this.#gathered);
    else piece.set(part, this.#used);
    this.#gathered += part.length;
  }

  *#putOutGathered(): ChunkTask<void> {
    if (this.#gathered === 0 || this.#piece === undefined) return;
    let chunk: Uint8Array;
    if (typeof this.#piece === 'function') {
      chunk = this.#own.subarray(0, this.#gathered);
      this.#piece(chunk);
    } else {
      chunk = this.#piece.subarray(this.#putOut, this.#used);
    }
    this.#putOut = this.#used;
    this.#gathered = 0;
    yield chunk;
  }

  *#endPiece(): ChunkTask<void> {
    if (this.#used === 0) return;
    yield* this.#putOutGathered();
    yield* wait(this.#hasher.endPiece(this.#putOut));
    this.#before += this.#putOut;
    this.#putOut = 0;
    this.#piece = undefined;
  }
}

export function sizeChanged(): SnapshotError {
  return new SnapshotError(unwritable('its content changed its size while it was being written'));
}
