/** What is known of a guest when it has left, as a snapshot. */

import type { Snapshot } from '../snapshot/index.js';
import { EngineError, wrongUse } from './errors.js';
import type { Call } from './opening.js';
import type { Program } from './program.js';

/** The part that changes while a program runs. */
export interface GuestState
  extends Pick<Snapshot, 'stablePoints' | 'point' | 'words' | 'memories' | 'tables' | 'wasi'> {
  /** The one that was left, and those that follow it. */
  readonly calls: readonly Call[];
}

export function makeSnapshot({ hash, info }: Program, { calls, ...state }: GuestState): Snapshot {
  const [current, ...following] = calls.map((call) => call.entry.name);
  if (current === undefined) throw new EngineError(wrongUse('no call is under way'));
  return {
    module: { hash, ...info },
    createdAt: new Date().toISOString(),
    entry: current,
    following,
    ...state,
  };
}
