/** Where control leaves a loop, and code that is put there. */

import type { Expr } from './binaryen.js';
import {
  carriedValue,
  childrenOf,
  isConditional,
  kindOf,
  labelOf,
  localIndex,
  targetsOf,
  typeOf,
  unreachable,
} from './expressions.js';
import type { IrModule } from './module.js';
import { renameTargets } from './relabel.js';
import { some, walk } from './walk.js';

/** A branch or return that leaves a loop. */
export interface Exit {
  readonly expr: Expr;
  /** Where a branch goes outside of the loop. */
  readonly targets: readonly string[];
}

/** The labels of the blocks and loops under `roots`, themselves included. */
export function labelsUnder(roots: readonly Expr[]): Set<string> {
  const labels = new Set<string>();
  for (const root of roots) {
    walk(root, (expr) => {
      const label = labelOf(expr);
      if (label !== undefined) labels.add(label);
    });
  }
  return labels;
}

/** The exits of a loop that calls nothing, but for its end. */
export function exitsOf(loop: Expr): Exit[] {
  const labels = labelsUnder([loop]);
  const exits: Exit[] = [];
  walk(loop, (expr) => {
    const kind = kindOf(expr);
    const isBranch = kind === 'Break' || kind === 'Switch';
    const targets = isBranch ? targetsOf(expr).filter((target) => !labels.has(target)) : [];
    if (kind === 'Return' || targets.length > 0) exits.push({ expr, targets });
  });
  return exits;
}

/** Whether {@link makeBeforeExit} can put code where it is run only if the loop is left. */
export function isSeparable({ expr }: Exit): boolean {
  switch (kindOf(expr)) {
    case 'Switch':
      return carriedValue(expr) === undefined;
    case 'Break': {
      const value = isConditional(expr) ? carriedValue(expr) : undefined;
      if (value === undefined || kindOf(value) === 'Const') return true;
      const sets = (inner: Expr): boolean => kindOf(inner) === 'LocalSet' && localIndex(inner) === localIndex(value);
      return kindOf(value) === 'LocalGet' && !some(expr, sets);
    }
    default:
      return true;
  }
}

/**
 * An exit that is separable, with code before it.
 * @param makeCode called once for each of its targets
 * @param newLabel for labels that the function does not have yet
 */
export function makeBeforeExit(module: IrModule, exit: Exit, makeCode: () => Expr[], newLabel: () => string): Expr {
  const { make } = module;
  const { expr, targets } = exit;
  const [target] = targets;
  if (kindOf(expr) === 'Switch') return makeBeforeTargets(module, exit, makeCode, newLabel);
  if (target === undefined || !isConditional(expr)) return make.valueBlock(null, [...makeCode(), expr], unreachable);

  const value = carriedValue(expr);
  const condition = childrenOf(expr).at(-1) ?? make.unreachable();
  if (value === undefined) return make.if(condition, [...makeCode(), make.br(target)]);
  const leave = make.if(condition, [...makeCode(), make.br(target, module.copyExpression(value))]);
  return make.valueBlock(null, [leave, value], typeOf(expr));
}

/** A switch that leaves the loop goes to blocks around it instead, one for each place outside. */
function makeBeforeTargets(
  { make }: IrModule,
  { expr, targets }: Exit,
  makeCode: () => Expr[],
  newLabel: () => string,
): Expr {
  const inside = new Map(targets.map((target) => [target, newLabel()]));
  renameTargets(expr, (label) => inside.get(label) ?? label);
  let code = [expr];
  for (const [target, label] of inside) code = [make.block(label, code), ...makeCode(), make.br(target)];
  return make.valueBlock(null, code, unreachable);
}
