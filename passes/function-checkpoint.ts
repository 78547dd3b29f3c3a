/**
 * Function level: every call is a stable point. A call to a function of the module is one at the callee's entry, a call
 * to an import before its operands are evaluated:
 *
 *     (func $f (call $g) (call $import))
 *
 * becomes
 *
 *     (func $f (call $mvvm.point.entry)
 *       (call $g)                                                   ;; its point is at the entry of $g
 *       (block (call $mvvm.point.host) (call $import)))
 *
 * Loops that may go round without a call get counted points from close-cycles.
 */

import { callTarget, kindOf } from './ir/expressions.js';
import { readMark } from './ir/marks.js';
import { markEntry, markWhere } from './ir/placement.js';
import type { Pass } from './pass.js';

export const functionCheckpoint: Pass = {
  name: 'function-checkpoint',
  stage: 'placement',
  flag: 'enable-checkpoint',
  description: 'stable points at function level: every call is one',
  documentation: `Every call is a stable point: calls to functions of the module at the callee's entry, calls to imports
before their operands are evaluated. Each passing takes one off the budget. Loops that may go round without a call get a
counted point from \`close-cycles\`, so that a request is answered there too.`,
  run(context) {
    const { module } = context;
    const functions = module.functions().filter(({ name }) => !module.isStandIn(name));
    const imported = new Set(functions.flatMap((fn) => (fn.imported ? [fn.name] : [])));
    for (const fn of module.definedFunctions()) {
      markWhere(context, fn, { kind: 'host', gate: 'budget' }, (expr) => {
        return kindOf(expr) === 'Call' && readMark(expr) === undefined && imported.has(callTarget(expr));
      });
      markEntry(context, fn, { kind: 'entry', gate: 'budget' });
    }
  },
};
