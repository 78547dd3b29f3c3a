/**
 * Makes stores say what they change, for the policy loop-dirty-checkpoint. Memory is divided into 64 regions, one bit
 * each in a global; a store sets the bit of the region it writes to:
 *
 *     (i32.store offset=8 (p) (v))
 *
 * becomes
 *
 *     (i32.store offset=8 (local.tee $p (p)) (v))
 *     (global.set $mvvm.dirty (i64.or (global.get $mvvm.dirty)
 *       (i64.shl (i64.const 1) (i64.extend_i32_u (i32.shr_u (local.get $p) (shift))))))
 *
 * Most stores do with less: dirty/mark-stores.ts. dirty/regions.ts has the bits themselves.
 *
 * Invariant: whenever the host can take the bits (`mvvm.take_dirty`, which it does when all frames have left), they cover
 * all bytes that the module has changed since it took them last. In a memory of nearly 4 GiB, where addresses could come
 * round unnoticed, all bits count as set.
 *
 * Runs before lower-points.
 */

import { markStores, type PendingMarks } from './dirty/mark-stores.js';
import { Regions } from './dirty/regions.js';
import type { Expr } from './ir/binaryen.js';
import { CallGraph } from './ir/call-graph.js';
import { kindOf } from './ir/expressions.js';
import { readMark } from './ir/marks.js';
import { some } from './ir/walk.js';
import type { Pass } from './pass.js';

export const dirtyBits: Pass = {
  name: 'dirty-bits',
  stage: 'lowering',
  description: 'makes stores mark the region of memory that they change (loop-dirty policy only)',
  documentation: `Stores set the bit of their region, one of 64, in a global; those whose address is near one that was marked since the
last stable point, or whose addresses in a loop are known when it is left, do so together. Runs only with
\`loop-dirty-checkpoint\`.`,
  run(context) {
    const { module, options } = context;
    if (!options.policies.includes('loop-dirty-checkpoint')) return;
    const graph = new CallGraph(module);
    const functions = module.definedFunctions();
    const regions = new Regions(module);
    const surroundings = {
      module,
      regions,
      mayStop: (call: Expr) => readMark(call) === undefined && graph.callKind(call) !== 'plain',
      catches: functions.some((fn) => some(module.body(fn), (expr) => kindOf(expr) === 'Try')),
    };
    for (const { name } of functions) context.changed.add(name);
    const pending = new Map(functions.map((fn): [string, PendingMarks] => [fn.name, markStores(fn, surroundings)]));
    context.dirt = { shift: regions.shift, pending };
  },
};
