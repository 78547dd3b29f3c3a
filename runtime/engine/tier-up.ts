/**
 * When frames leave only to come back at once. Engines begin with code that is quickly made and slow, and make better code
 * of what turns out to be busy; but a call that is under way stays in the code that it began in, so a program that spends
 * its life in one call of one loop never gets to the better code (V8 does no on-stack replacement for WebAssembly). A frame
 * that has left and comes back is a new call.
 *
 * Nobody knows when better code is there, so it is tried again and again, at intervals that double: soon enough for what
 * runs a tenth of a second, and rarely enough not to be felt.
 */

/** The first interval: what is over before is too short to gain anything. */
const FIRST_MS = 10;
/** The longest. What becomes busy late in a run, as a new phase of a program does, waits so long. */
const LONGEST_MS = 1000;
/**
 * Frames on the stack, those of JavaScript included, with which it is still done. Many take long to leave and to come back;
 * and on the way back a frame can need more of the stack than before, which must never be what ends a program. Engines
 * that do not let one ask for more tell at least so many.
 */
const MOST_FRAMES = 100;

export class TierUp {
  readonly #now: () => number;
  #interval = FIRST_MS;
  #due = Number.POSITIVE_INFINITY;

  /** @param now milliseconds from any origin */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** All frames begin or come back now. */
  begin(): void {
    this.#due = this.#now() + this.#interval;
  }

  /** Whether frames are to leave and come back now; to be asked at a poll, on the guest's stack. */
  isDue(): boolean {
    if (this.#now() < this.#due) return false;
    this.#interval = Math.min(this.#interval * 2, LONGEST_MS);
    this.begin();
    return !isDeep();
  }
}

/** Whether there are more frames on the stack than {@link MOST_FRAMES}. */
function isDeep(): boolean {
  const usual: unknown = Reflect.get(Error, 'stackTraceLimit');
  Reflect.set(Error, 'stackTraceLimit', MOST_FRAMES + 1);
  const { stack } = new Error('for its stack');
  Reflect.set(Error, 'stackTraceLimit', usual);
  // A line for each frame, below one with the message.
  return typeof stack !== 'string' || stack.split('\n').length > MOST_FRAMES + 1;
}
