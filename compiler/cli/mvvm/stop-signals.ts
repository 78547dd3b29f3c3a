/** The signals that ask for a checkpoint. */

import { writeStandardError } from './streams.js';

const signals = ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const;

/** Status of a process that an interrupt ended: 128 + 2. */
const STATUS_INTERRUPTED = 130;

export interface StopSignals {
  /** Calls back for each signal from now on, and at once if one has come already. */
  attend(stop: (signal: string) => void): void;
  /** Gives the signals their usual meaning again. */
  forget(): void;
}

/**
 * Listens from now on, also while there is no program to stop yet. Whoever presses Ctrl-C a second time does not want to
 * wait for a checkpoint: that ends the process.
 */
export function listenForStop(): StopSignals {
  let early: string | undefined;
  let stop = (signal: string): void => {
    early = signal;
  };
  let interrupted = false;
  const listeners = signals.map((signal) => {
    const listener = (): void => {
      if (signal === 'SIGINT' && interrupted) {
        writeStandardError('mvvm: interrupted twice: ended without a checkpoint\n');
        process.exit(STATUS_INTERRUPTED);
      }
      interrupted ||= signal === 'SIGINT';
      stop(signal);
    };
    process.on(signal, listener);
    return { signal, listener };
  });
  return {
    attend(callBack) {
      stop = callBack;
      if (early !== undefined) callBack(early);
    },
    forget() {
      for (const { signal, listener } of listeners) process.off(signal, listener);
    },
  };
}
