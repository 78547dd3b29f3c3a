/**
 * How far a long transfer of a snapshot has come. Nothing is told of one that is over within a second, so that short
 * ones cost two readings of the clock and nobody sees a line flash by.
 */

import type { SnapshotFileSource } from './snapshot-file-source.js';
import type { SnapshotFileSystem } from './snapshot-file-system.js';

export interface TransferProgress {
  readonly action: 'read' | 'write';
  readonly file: string;
  /** Bytes of the file so far. */
  readonly bytes: number;
  /** Bytes of the whole, where that is known: when it is read. */
  readonly total?: number;
  /** Since it began. */
  readonly milliseconds: number;
  /** Told once, last, of every transfer that anything was told of, also of one that failed. */
  readonly isOver: boolean;
}

export type TellProgress = (progress: TransferProgress) => void;

export interface TransferMeter {
  add(bytes: number): void;
  end(): void;
}

export const FIRST_MS = 1000;
export const NEXT_MS = 250;

/** @param now milliseconds on a clock that never goes back */
export function startMeter(
  what: Pick<TransferProgress, 'action' | 'file' | 'total'>,
  tell: TellProgress,
  now: () => number = () => performance.now(),
): TransferMeter {
  const start = now();
  let due = start + FIRST_MS;
  let bytes = 0;
  const say = (time: number, isOver: boolean): void => tell({ ...what, bytes, milliseconds: time - start, isOver });
  return {
    add(more) {
      bytes += more;
      const time = now();
      if (time < due) return;
      due = time + NEXT_MS;
      say(time, false);
    },
    end() {
      if (due !== start + FIRST_MS) say(now(), true);
    },
  };
}

/**
 * Does something with a meter that runs as long, if somebody wants to be told.
 * @param use is given the meter, or undefined
 */
export function withMeter<R>(
  what: Pick<TransferProgress, 'action' | 'file' | 'total'>,
  tell: TellProgress | undefined,
  use: (meter: TransferMeter | undefined) => R,
): R {
  if (tell === undefined) return use(undefined);
  const meter = startMeter(what, tell);
  try {
    return use(meter);
  } finally {
    meter.end();
  }
}

/** Files whose written bytes are counted. */
export function meteredFiles(files: SnapshotFileSystem, meter: TransferMeter | undefined): SnapshotFileSystem {
  if (meter === undefined) return files;
  return {
    ...files,
    write(fd, bytes) {
      const count = files.write(fd, bytes);
      meter.add(count);
      return count;
    },
  };
}

/** A source whose read bytes are counted. */
export function meteredSource(source: SnapshotFileSource, meter: TransferMeter | undefined): SnapshotFileSource {
  if (meter === undefined) return source;
  return {
    ...source,
    read(into) {
      const count = source.read(into);
      meter.add(count);
      return count;
    },
  };
}
