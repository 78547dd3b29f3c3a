/** Where control leaves a loop, and code that is put there. */

import type { Expr } from './binaryen.js';
import {
  carriedValue,
  childrenOf,
  isConditional,
  isTailCall,
  kindOf,
  labelOf,
  localIndex,
  targetsOf,
  typeOf,
  unreachable,
} from './expressions.js';
import type { Maker } from './make.js';
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

/** The labels not `inside` that a branch may go to; none for what is no branch. */
function targetsOutside(expr: Expr, inside: ReadonlySet<string>): string[] {
  const kind = kindOf(expr);
  return kind === 'Break' || kind === 'Switch' ? targetsOf(expr).filter((target) => !inside.has(target)) : [];
}

/** Whether control may go on elsewhere after an expression than in the code with these labels, calls that throw aside. */
export function leaves(expr: Expr, inside: ReadonlySet<string>): boolean {
  const kind = kindOf(expr);
  if (kind === 'Return' || kind === 'Throw' || kind === 'Rethrow' || isTailCall(expr)) return true;
  return targetsOutside(expr, inside).length > 0;
}

/** A conditional branch that carries no value, with code before it that is run only if it is taken. */
export function makeIfTaken(make: Maker, branch: Expr, code: readonly Expr[]): Expr {
  const [condition] = childrenOf(branch);
  const [target] = targetsOf(branch);
  if (condition === undefined || target === undefined) throw new Error('a conditional branch has both');
  return make.if(condition, [...code, make.br(target)]);
}

/** The exits of a loop that calls and throws nothing, but for its end. */
export function exitsOf(loop: Expr): Exit[] {
  const labels = labelsUnder([loop]);
  const exits: Exit[] = [];
  walk(loop, (expr) => {
    if (leaves(expr, labels)) exits.push({ expr, targets: targetsOutside(expr, labels) });
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
  const { expr } = exit;
  if (kindOf(expr) === 'Switch') return makeBeforeTargets(module, exit, makeCode, newLabel);
  if (kindOf(expr) === 'Return' || !isConditional(expr)) {
    return make.valueBlock(null, [...makeCode(), expr], unreachable);
  }
  const value = carriedValue(expr);
  if (value === undefined) return makeIfTaken(make, expr, makeCode());
  const [, condition] = childrenOf(expr);
  const [target] = targetsOf(expr);
  if (condition === undefined || target === undefined) throw new Error('a conditional branch has both');
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
