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
 * Frames on the stack, those of JavaScript included, with which it is still done: more take long to leave and to come back.
 * Engines that do not let one ask for more tell at least so many.
 */
const MOST_FRAMES = 100;
/**
 * Small frames of JavaScript for which the stack must still have room: several hundred KiB. On the way back a frame can need
 * twice as much of the stack as before, and that must not be what ends a program.
 */
const SPARE_FRAMES = 4000;

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
    return !isDeep() && hasRoom();
  }
}

function hasRoom(): boolean {
  try {
    return countDown(SPARE_FRAMES) === SPARE_FRAMES;
  } catch {
    return false;
  }
}

function countDown(frames: number): number {
  return frames === 0 ? 0 : 1 + countDown(frames - 1);
}

/** Whether there are more frames on the stack than {@link MOST_FRAMES}. */
function isDeep(): boolean {
  const usual = traceSettings.map((name) => ({
    name,
    isSet: Object.hasOwn(Error, name),
    value: Reflect.get(Error, name),
  }));
  Reflect.set(Error, 'stackTraceLimit', MOST_FRAMES + 1);
  // Whoever else wants to see traces may take long to show them.
  Reflect.set(Error, 'prepareStackTrace', (_error: unknown, frames: readonly unknown[]) => frames.length);
  const stack: unknown = new Error('for its stack').stack;
  for (const { name, isSet, value } of usual) {
    if (isSet) Reflect.set(Error, name, value);
    else Reflect.deleteProperty(Error, name);
  }
  if (typeof stack === 'number') return stack > MOST_FRAMES;
  // An engine that shows traces in its own way has a line for each frame, and perhaps one with the message.
  return typeof stack !== 'string' || stack.split('\n').length > MOST_FRAMES;
}

const traceSettings = ['stackTraceLimit', 'prepareStackTrace'] as const;
