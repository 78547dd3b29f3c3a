/** Code that has to run wherever control leaves a loop or a function. */

import type { Expr } from '../ir/binaryen.js';
import {
  carriedValue,
  childrenOf,
  isConditional,
  isTailCall,
  kindOf,
  labelOf,
  none,
  setChild,
  targetsOf,
  typeOf,
  unreachable,
} from '../ir/expressions.js';
import type { FunctionInfo, IrModule } from '../ir/module.js';
import { rewrite, some, walk } from '../ir/walk.js';
import { writes } from './accesses.js';

/** The labels of blocks and loops in an expression, itself included. */
export function labelsIn(root: Expr): ReadonlySet<string> {
  const labels = new Set<string>();
  walk(root, (expr) => {
    const label = labelOf(expr);
    if (label !== undefined) labels.add(label);
  });
  return labels;
}

function leaves(expr: Expr, inside: ReadonlySet<string>): boolean {
  switch (kindOf(expr)) {
    case 'Return':
    case 'Throw':
    case 'Rethrow':
      return true;
    case 'Break':
    case 'Switch':
      return targetsOf(expr).some((label) => !inside.has(label));
    default:
      return isTailCall(expr);
  }
}

/** Whether {@link runAtExits} can deal with all exits of an expression: exceptions and tail calls are beyond it. */
export function canRunAtExits(root: Expr): boolean {
  const inside = labelsIn(root);
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
  const inside = labelsIn(root);
  return rewrite(root, (exit) => {
    if (!leaves(exit, inside)) return exit;
    const [operand] = childrenOf(exit);
    if (kindOf(exit) === 'Break' && isConditional(exit)) {
      const [target] = targetsOf(exit);
      if (operand === undefined || target === undefined) throw new Error('a conditional branch has both');
      return make.if(operand, [...makeCode(), make.br(target)]);
    }
    if (operand === undefined || !writes(operand)) return make.valueBlock(null, [...makeCode(), exit], unreachable);
    const type = typeOf(operand);
    if (type === none || type === unreachable) return exit;
    const value = module.addLocal(fn, type);
    setChild(exit, 0, make.get(value, type));
    return make.valueBlock(null, [make.set(value, operand), ...makeCode(), exit], unreachable);
  });
}
