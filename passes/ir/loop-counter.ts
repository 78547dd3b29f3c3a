/**
 * Reads what decides how often a loop is repeated, where that is a local which goes up or down by a constant once in each
 * iteration and is tested at the loop's end, the only place that leads back to its head:
 *
 *     (loop $L ... (br_if $L (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (local.get $end))))
 *
 * It looks at i32 only, and at tests for `i != end` and `i < end`, with `end` a constant or a local that the loop does not
 * assign. It says nothing of other ways out of the loop, which can only make it shorter.
 */

import { api, type Expr } from './binaryen.js';
import { labelsUnder, leaves } from './exits.js';
import {
  binaryOperation,
  childrenOf,
  constantOf,
  isConditional,
  kindOf,
  labelOf,
  localIndex,
  operandLocal,
  targetsOf,
} from './expressions.js';
import { some, walk } from './walk.js';

/** How a loop decides to go on: by comparing the counter with the end. */
export type LoopTest = 'not-equal' | 'less-signed' | 'less-unsigned';

export interface LoopCounter {
  /** The local that counts, and what is added to it in each iteration. */
  readonly counter: number;
  readonly step: number;
  readonly test: LoopTest;
  /** What the counter is tested against, and which operand of the condition that is; none where it is tested for zero. */
  readonly end: { readonly value: Expr; readonly operand: number } | undefined;
  /** The branch to the loop's head, and what it depends on. */
  readonly backEdge: Expr;
  readonly condition: Expr;
}

/** Comparisons of the counter with the end, and of the end with the counter. */
const tests: readonly ReadonlyMap<number, LoopTest>[] = [
  new Map([
    [api.NeInt32, 'not-equal'],
    [api.LtSInt32, 'less-signed'],
    [api.LtUInt32, 'less-unsigned'],
  ]),
  new Map([
    [api.NeInt32, 'not-equal'],
    [api.GtSInt32, 'less-signed'],
    [api.GtUInt32, 'less-unsigned'],
  ]),
];

/** How an operation on the counter and a constant changes the counter. */
const signs: ReadonlyMap<number, number> = new Map([
  [api.AddInt32, 1],
  [api.SubInt32, -1],
]);

/**
 * @param label the loop's
 * @param statements its body
 * @param isStep whether a step will do; of two locals that are compared either may count
 */
export function readLoopCounter(
  label: string,
  statements: readonly Expr[],
  isStep: (step: number) => boolean = () => true,
): LoopCounter | undefined {
  // A branch past it leaves the loop.
  const backEdge = lastOf(statements[statements.length - 1], () => true);
  if (backEdge === undefined || kindOf(backEdge) !== 'Break' || !isConditional(backEdge)) return undefined;
  const repeats = (expr: Expr): boolean => isBranch(expr) && targetsOf(expr).includes(label);
  if (!repeats(backEdge)) return undefined;
  if (statements.some((statement) => some(statement, (expr) => expr !== backEdge && repeats(expr)))) return undefined;

  const [condition] = childrenOf(backEdge);
  if (condition === undefined) return undefined;
  for (const { counter, test, end } of readDecisions(condition)) {
    const step = findStep(statements, counter);
    if (step === undefined || !isStep(step)) continue;
    const value = end?.value;
    const isFixed =
      value === undefined || kindOf(value) === 'Const' || assigns(statements, localIndex(value)).length === 0;
    return isFixed ? { counter, step, test, end, backEdge, condition } : undefined;
  }
  return undefined;
}

/**
 * The same for a loop whose number of iterations is known when it is entered: nothing but its test leaves it, nor leads past
 * that, and its counter cannot jump over the end. So it can be run in strips (lowering/counted-loop.ts).
 *
 * @param callsMayThrow whether a call may leave the loop by an exception
 */
export function readCountedLoop(
  label: string,
  statements: readonly Expr[],
  callsMayThrow: boolean,
): LoopCounter | undefined {
  const found = readLoopCounter(label, statements, isPowerOfTwo);
  if (found === undefined || leavesElsewhere(statements, found.backEdge, callsMayThrow)) return undefined;
  if (lastOf(statements[statements.length - 1], isUnlabelled) !== found.backEdge) return undefined;
  return found.test === 'not-equal' || found.step === 1 ? found : undefined;
}

/**
 * A counter comes round after 2^32 / step iterations. A strip must be shorter than that, also in a loop that never ends,
 * whose strips are as long as the gate's counter says: up to 2^24 they are with steps up to this.
 */
const LARGEST_STEP = 256;

function isPowerOfTwo(step: number): boolean {
  const size = Math.abs(step);
  return size > 0 && size <= LARGEST_STEP && (size & (size - 1)) === 0;
}

/** Whether anything but `backEdge` may leave the loop. */
function leavesElsewhere(statements: readonly Expr[], backEdge: Expr, callsMayThrow: boolean): boolean {
  const labels = labelsUnder(statements);
  const mayLeave = (expr: Expr): boolean => {
    const kind = kindOf(expr);
    const mayThrow = kind === 'Try' || (callsMayThrow && (kind === 'Call' || kind === 'CallIndirect'));
    return expr !== backEdge && (mayThrow || leaves(expr, labels));
  };
  return statements.some((statement) => some(statement, mayLeave));
}

const isBranch = (expr: Expr): boolean => kindOf(expr) === 'Break' || kindOf(expr) === 'Switch';

const isUnlabelled = (block: Expr): boolean => labelOf(block) === undefined;

/**
 * The expression evaluated last in a statement, unless a branch leads out of a block before.
 * @param isTransparent whether to look into a block
 */
function lastOf(expr: Expr | undefined, isTransparent: (block: Expr) => boolean): Expr | undefined {
  if (expr === undefined || kindOf(expr) !== 'Block' || !isTransparent(expr)) return expr;
  const children = childrenOf(expr);
  return lastOf(children[children.length - 1], isTransparent);
}

type Decision = Pick<LoopCounter, 'counter' | 'test' | 'end'>;

/** What a loop's condition may test: a local, just assigned or not, against an end. */
function readDecisions(condition: Expr): Decision[] {
  const alone = operandLocal(condition);
  if (alone !== undefined) return [{ counter: alone, test: 'not-equal', end: undefined }];
  if (kindOf(condition) !== 'Binary') return [];
  const operands = childrenOf(condition);
  return tests.flatMap((byOperation, place): Decision[] => {
    const test = byOperation.get(binaryOperation(condition));
    const [tested, value] = [operands[place], operands[1 - place]];
    if (test === undefined || tested === undefined || value === undefined) return [];
    const counter = operandLocal(tested);
    const isEnd = kindOf(value) === 'Const' || kindOf(value) === 'LocalGet';
    return counter === undefined || !isEnd ? [] : [{ counter, test, end: { value, operand: 1 - place } }];
  });
}

/** What is added to a local once in every iteration, if that is the only way in which it changes. */
export function findStep(statements: readonly Expr[], local: number): number | undefined {
  const [assignment, ...others] = assigns(statements, local);
  if (assignment === undefined || others.length > 0) return undefined;
  if (!statements.some((statement) => isAlwaysEvaluated(statement, assignment))) return undefined;
  const [value] = childrenOf(assignment);
  if (value === undefined || kindOf(value) !== 'Binary') return undefined;
  const sign = signs.get(binaryOperation(value));
  const [left, right] = childrenOf(value);
  if (left === undefined || !isValueOf(left, local) || sign === undefined) return undefined;
  if (right === undefined || kindOf(right) !== 'Const') return undefined;
  return (sign * constantOf(right)) | 0;
}

/** Whether an expression is what a local has, kept in other locals as well or not. */
function isValueOf(expr: Expr, local: number): boolean {
  if (kindOf(expr) === 'LocalGet') return localIndex(expr) === local;
  const [value] = childrenOf(expr);
  return kindOf(expr) === 'LocalSet' && value !== undefined && isValueOf(value, local);
}

function assigns(statements: readonly Expr[], local: number): Expr[] {
  const found: Expr[] = [];
  for (const statement of statements) {
    walk(statement, (expr) => {
      if (kindOf(expr) === 'LocalSet' && localIndex(expr) === local) found.push(expr);
    });
  }
  return found;
}

/** Whether evaluating `root` to its end always evaluates `target` once; an exception can leave any part of a `try` out. */
function isAlwaysEvaluated(root: Expr, target: Expr): boolean {
  if (root === target) return true;
  const kind = kindOf(root);
  if (kind === 'Loop' || kind === 'Try' || (kind === 'Block' && labelOf(root) !== undefined)) return false;
  const children = kind === 'If' ? childrenOf(root).slice(0, 1) : childrenOf(root);
  return children.some((child) => isAlwaysEvaluated(child, target));
}
