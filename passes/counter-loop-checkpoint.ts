/**
 * Loops, counted: only one iteration in many is a stable point that fires. The default policy:
 *
 *     (loop $L ...)     becomes     (loop $L (call $mvvm.point.loop.counted) ...)
 *
 * All loops of the module count together, so that short loops that are entered again and again come to fire too. Where the
 * gate opens seldom, loops that end by themselves are left out (ir/uncounted-loops.ts): the loops around them count.
 */

import { markLoops } from './ir/placement.js';
import { findUncountedLoops } from './ir/uncounted-loops.js';
import type { Pass } from './pass.js';

export const counterLoopCheckpoint: Pass = {
  name: 'counter-loop-checkpoint',
  stage: 'placement',
  flag: 'enable-counter-loop-checkpoint',
  description: 'stable points at one in 2^threshold-bits iterations of all loops (the default)',
  documentation: `Loops count their iterations, all together across loops, calls and returns; one in \`2^threshold-bits\` is a
stable point and asks the host. From 11 threshold bits on, loops that provably end soon are not counted (at most 64
iterations from 16 bits on) but as a whole if they take long, and loops that go through memory count when they have ended.
Recursion without loops gets a counted point from \`close-cycles\`.`,
  run(context) {
    markLoops(context, { kind: 'loop', gate: 'counted' }, (fn) =>
      findUncountedLoops(context.module, fn, context.options.thresholdBits),
    );
  },
};
