/**
 * Checks the bounded-latency rule once all marks are placed: every loop and every recursion passes a stable point. It
 * derives the answer from the module alone, and names the cycle that breaks the rule.
 */

import { refuse, uncoveredCycle } from './diagnostics.js';
import { CallGraph } from './ir/call-graph.js';
import { findEntryPolled, findUnboundedLoops, findUncoveredRecursion } from './ir/coverage.js';
import { labelOf } from './ir/expressions.js';
import type { Pass } from './pass.js';

export const verifyLatency: Pass = {
  name: 'verify-latency',
  stage: 'analysis',
  description: 'checks that every loop and recursion has a stable point',
  documentation:
    'Fails, naming the cycle, when a loop or a recursion could run forever without passing a stable point.',
  run({ module, options }) {
    const entryPolled = findEntryPolled(module);
    for (const fn of module.definedFunctions()) {
      const [loop] = findUnboundedLoops(module, fn, entryPolled, options.thresholdBits);
      if (loop !== undefined) refuse(uncoveredCycle([`function ${fn.name}`, `loop ${labelOf(loop)}`]));
    }
    const [recursion] = findUncoveredRecursion(new CallGraph(module), entryPolled);
    if (recursion !== undefined) refuse(uncoveredCycle(recursion.cycle.map((name) => `function ${name}`)));
  },
};
