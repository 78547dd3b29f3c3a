/**
 * Every iteration of every loop is a stable point:
 *
 *     (loop $L ...)     becomes     (loop $L (call $mvvm.point.loop) ...)
 *
 * How a request reaches a busy loop: each passing takes one off the budget that the host granted, and the poll asks the
 * host when none is left.
 */

import { markLoops } from './ir/placement.js';
import type { Pass } from './pass.js';

export const loopCheckpoint: Pass = {
  name: 'loop-checkpoint',
  stage: 'placement',
  flag: 'enable-loop-checkpoint',
  description: 'stable points at every iteration of every loop',
  documentation: `Each iteration of each loop is a stable point, no counter decides which: its begin in loops with stable points
inside, and in others its end, if another iteration follows. A passing takes one off the budget; the host, which grants it,
can so stop at any iteration it names.`,
  run(context) {
    markLoops(context, { kind: 'loop', gate: 'budget' });
  },
};
