/** All passes, in the order in which they run: the registry, the source of `--help` and docs/passes.md, and of tests. */

import { brCheckpoint } from './br-checkpoint.js';
import { checkpointPgo } from './checkpoint-pgo.js';
import { closeCycles } from './close-cycles.js';
import { counterLoopCheckpoint } from './counter-loop-checkpoint.js';
import { dirtyBits } from './dirty-bits.js';
import { everyCheckpoint } from './every-checkpoint.js';
import { functionCheckpoint } from './function-checkpoint.js';
import { loopCheckpoint } from './loop-checkpoint.js';
import { loopDirtyCheckpoint } from './loop-dirty-checkpoint.js';
import { lowerPoints } from './lower-points.js';
import { moduleState } from './module-state.js';
import type { Pass } from './pass.js';
import { prepare } from './prepare.js';
import { verifyLatency } from './verify-latency.js';

export const allPasses: readonly Pass[] = [
  prepare,
  everyCheckpoint,
  functionCheckpoint,
  loopCheckpoint,
  loopDirtyCheckpoint,
  counterLoopCheckpoint,
  brCheckpoint,
  closeCycles,
  checkpointPgo,
  verifyLatency,
  dirtyBits,
  lowerPoints,
  moduleState,
];
