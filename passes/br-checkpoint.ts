/**
 * Stable points at branches:
 *
 *     (br_if $L (c))     becomes     (block (call $mvvm.point.branch) (br_if $L (c)))
 */

import { kindOf } from './ir/expressions.js';
import { markWhere } from './ir/placement.js';
import type { Pass } from './pass.js';

export const brCheckpoint: Pass = {
  name: 'br-checkpoint',
  stage: 'placement',
  flag: 'enable-br-checkpoint',
  description: 'stable points before every branch',
  documentation:
    'Every `br`, `br_if` and `br_table` is preceded by a stable point; each passing takes one off the budget.',
  run(context) {
    for (const fn of context.module.definedFunctions()) {
      markWhere(context, fn, { kind: 'branch', gate: 'budget' }, (expr) => {
        return kindOf(expr) === 'Break' || kindOf(expr) === 'Switch';
      });
    }
  },
};
