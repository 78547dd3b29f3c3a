/**
 * Sees that every cycle has a stable point, whatever the policy: a loop without one gets a counted point at its head, a
 * recursion a counted point at the entry of one of its functions.
 *
 * Needs the marks of all placement passes. Establishes the bounded-latency rule, which verify-latency checks.
 */

import { CallGraph } from './ir/call-graph.js';
import { findEntryPolled, findUnboundedLoops, findUncoveredRecursion } from './ir/coverage.js';
import { markEntry, markLoop } from './ir/placement.js';
import type { Pass } from './pass.js';

export const closeCycles: Pass = {
  name: 'close-cycles',
  stage: 'placement',
  description: 'gives every loop and recursion that has no stable point a counted one',
  documentation: `A request must be answered in a bounded number of iterations under every policy. Loops with a way round that
passes no stable point get a counted one at their head, recursions one at the entry of a function.`,
  run(context) {
    const { module, options } = context;
    const recursions = findUncoveredRecursion(new CallGraph(module), findEntryPolled(module));
    const cuts = new Set(recursions.map(({ cut }) => cut));
    for (const fn of module.definedFunctions()) {
      if (cuts.has(fn.name)) markEntry(context, fn, { kind: 'entry', gate: 'counted' });
    }
    const entryPolled = findEntryPolled(module);
    for (const fn of module.definedFunctions()) {
      for (const loop of findUnboundedLoops(module, fn, entryPolled, options.thresholdBits)) {
        markLoop(context, loop, { kind: 'loop', gate: 'counted' });
      }
    }
  },
};
