/** Code that has to run wherever control leaves a loop or a function. */

import type { Expr } from '../ir/binaryen.js';
import { labelsUnder, leaves, makeIfTaken } from '../ir/exits.js';
import {
  carriedValue,
  childrenOf,
  isConditional,
  kindOf,
  none,
  setChild,
  typeOf,
  unreachable,
} from '../ir/expressions.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { rewrite, some } from '../ir/walk.js';
import { writes } from './accesses.js';

/** Whether {@link runAtExits} can deal with all exits of an expression: exceptions and tail calls are beyond it. */
export function canRunAtExits(root: Expr): boolean {
  const inside = labelsUnder([root]);
  return !some(root, (expr) => {
    if (kindOf(expr) === 'Try') return true;
    if (!leaves(expr, inside)) return false;
    switch (kindOf(expr)) {
      case 'Return':
        return false;
      case 'Break':
        return isConditional(expr) && carriedValue(expr) !== undefined;
      case 'Switch':
        return writes(expr);
      default:
        return true;
    }
  });
}

/**
 * Puts code before every branch out of `root` and every return in it, behind what these evaluate.
 * @param makeCode makes it anew
 */
export function runAtExits(module: IrModule, fn: FunctionInfo, root: Expr, makeCode: () => Expr[]): Expr {
  const { make } = module;
  const inside = labelsUnder([root]);
  return rewrite(root, (exit) => {
    if (!leaves(exit, inside)) return exit;
    if (kindOf(exit) === 'Break' && isConditional(exit)) return makeIfTaken(make, exit, makeCode());
    const [operand] = childrenOf(exit);
    if (operand === undefined || !writes(operand)) return make.valueBlock(null, [...makeCode(), exit], unreachable);
    const type = typeOf(operand);
    if (type === none || type === unreachable) return exit;
    const value = module.addLocal(fn, type);
    setChild(exit, 0, make.get(value, type));
    return make.valueBlock(null, [make.set(value, operand), ...makeCode(), exit], unreachable);
  });
}
