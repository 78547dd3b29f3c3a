/**
 * A stable point before every instruction, for exhaustive testing. The code is flattened first, so that each instruction
 * is a statement with its operands in locals:
 *
 *     (local.set $x (i32.add (local.get $a) (i32.load (local.get $b))))
 *
 * becomes
 *
 *     (call $mvvm.point.instruction) (local.set $1 (i32.load (local.get $b)))
 *     (call $mvvm.point.instruction) (local.set $2 (i32.add (local.get $a) (local.get $1)))
 *     (call $mvvm.point.instruction) (local.set $x (local.get $2))
 */

import { readMark } from './ir/marks.js';
import { isStatement, markWhere } from './ir/placement.js';
import type { Pass } from './pass.js';

export const everyCheckpoint: Pass = {
  name: 'every-checkpoint',
  stage: 'placement',
  flag: 'enable-every-checkpoint',
  description: 'stable points before every instruction (for exhaustive testing)',
  documentation: `Every instruction is preceded by a stable point. The output is large and slow: this policy is for tests that
want to stop a program everywhere.`,
  run(context) {
    const { module } = context;
    module.runPasses(['flatten']);
    for (const fn of module.definedFunctions()) {
      markWhere(context, fn, { kind: 'instruction', gate: 'budget' }, (expr) => {
        return isStatement(expr) && readMark(expr) === undefined;
      });
    }
  },
};
