/**
 * Loop points that do not fire while nothing has changed since the last checkpoint:
 *
 *     (loop $L ...)     becomes     (loop $L (call $mvvm.point.loop.dirty) ...)
 *
 * The pass dirty-bits makes stores say what they change.
 */

import { markLoops } from './ir/placement.js';
import type { Pass } from './pass.js';

export const loopDirtyCheckpoint: Pass = {
  name: 'loop-dirty-checkpoint',
  stage: 'placement',
  flag: 'enable-loop-dirty-checkpoint',
  description: 'loop points with dirty bits: stores mark what they change',
  documentation: `Each iteration of each loop is a stable point, and stores mark the region of memory that they change. So a
checkpoint needs to write only what changed since the last one, and a point at which nothing has changed does not fire
(except one in \`2^threshold-bits\` of them, so that a loop that only computes can be stopped too).`,
  run(context) {
    markLoops(context, { kind: 'loop', gate: 'dirty' });
  },
};
