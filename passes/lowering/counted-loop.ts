/**
 * Recognises counted loops: loops whose number of iterations is known when they are entered, because nothing but the test
 * at their end leaves them, and what it tests goes up or down by a constant once in each iteration:
 *
 *     (loop $L ... (br_if $L (i32.ne (local.tee $i (i32.add (local.get $i) (i32.const 4))) (local.get $end))))
 *
 * Such a loop needs no poll inside (strip mining, see emit-loop.ts): it is run in strips that end where the poll is
 * due. All it takes is to test against the end of the strip instead of `$end`.
 *
 * It recognises tests for `i != end` where the step is a power of two, and for `i < end` where it is 1 (with a larger step
 * the counter could jump over the largest number and go on), with `end` a constant or a local that the loop does not
 * assign. It looks at i32 only.
 */

import { api, type Expr, rawFunction } from '../ir/binaryen.js';
import {
  childrenOf,
  i32,
  isConditional,
  isTailCall,
  kindOf,
  labelOf,
  localIndex,
  setChild,
  targetsOf,
  typeOf,
} from '../ir/expressions.js';
import type { Maker } from '../ir/make.js';
import type { IrModule } from '../ir/module.js';
import { some, walk } from '../ir/walk.js';
import { type LoopItem, statementsOf } from './linear-code.js';

export interface CountedLoop {
  /** The local that counts, and what is added to it in each iteration. */
  readonly counter: number;
  readonly step: number;
  /** How many iterations follow the one that is about to begin. */
  makeRemaining(): Expr;
  /** Whether these are fewer than `count`; may say no where they are. @param count at most 2^16 */
  makeIsShort(count: number): Expr;
  /** The value that the counter is tested against. */
  makeEnd(): Expr;
  /** Makes the loop test against a local instead. */
  testAgainst(limit: number): void;
}

/** How a counted loop decides to go on. */
type Test = 'not-equal' | 'less-signed' | 'less-unsigned';

const binaryOperation = rawFunction('BinaryGetOp');
const constant = rawFunction('ConstGetValueI32');
/** Comparisons of the counter with the end, and of the end with the counter. */
const tests: readonly ReadonlyMap<number, Test>[] = [
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

/**
 * A counter comes round after 2^32 / step iterations. A strip must be shorter than that, also in a loop that never ends,
 * whose strips are as long as the gate's counter says: up to 2^24 they are with steps up to this.
 */
const LARGEST_STEP = 256;

/** How an operation on the counter and a constant changes the counter. */
const signs: ReadonlyMap<number, number> = new Map([
  [api.AddInt32, 1],
  [api.SubInt32, -1],
]);

/** @returns undefined when the loop is not counted, or not in a form that is recognised */
export function recogniseCountedLoop(module: IrModule, loop: LoopItem): CountedLoop | undefined {
  const statements = statementsOf(loop.body);
  if (statements.length !== loop.body.length || statements.length === 0) return undefined;
  const backEdge = lastOf(statements[statements.length - 1]);
  if (backEdge === undefined || kindOf(backEdge) !== 'Break' || !isConditional(backEdge)) return undefined;
  if (targetsOf(backEdge)[0] !== loop.name || leavesElsewhere(statements, backEdge)) return undefined;

  const [condition] = childrenOf(backEdge);
  const decisions = condition === undefined ? [] : readDecisions(condition);
  const decision = decisions.find(({ counter }) => findStep(statements, counter) !== undefined);
  if (decision === undefined) return undefined;
  const { counter, test, end } = decision;
  const fixed = end?.value;
  const step = findStep(statements, counter);
  if (step === undefined || (test !== 'not-equal' && step !== 1)) return undefined;
  const assignsEnd =
    fixed !== undefined && kindOf(fixed) === 'LocalGet' && assigns(statements, localIndex(fixed)).length > 0;
  if (assignsEnd) return undefined;

  const { make } = module;
  const makeEnd = (): Expr => {
    if (fixed === undefined) return make.const(0);
    return kindOf(fixed) === 'Const' ? make.const(constant(fixed)) : make.get(localIndex(fixed), i32);
  };
  return {
    counter,
    step,
    makeEnd,
    makeRemaining: () => makeRemaining(make, test, () => make.get(counter, i32), makeEnd, step),
    makeIsShort: (count) =>
      make.lessUnsigned(
        makeTurns(make, makeDistance(make, make.get(counter, i32), makeEnd(), step), step),
        make.const(count),
      ),
    testAgainst(limit) {
      if (condition === undefined) return;
      if (end === undefined) setChild(backEdge, 0, make.notEqual(condition, make.get(limit, i32)));
      else setChild(condition, end.operand, make.get(limit, i32));
    },
  };
}

/** The expression evaluated last in a statement, looking into blocks that cannot be left by a branch. */
function lastOf(expr: Expr | undefined): Expr | undefined {
  if (expr === undefined || kindOf(expr) !== 'Block' || labelOf(expr) !== undefined) return expr;
  const children = childrenOf(expr);
  return lastOf(children[children.length - 1]);
}

/** Whether anything but `backEdge` leaves the loop or begins its next iteration. */
function leavesElsewhere(statements: readonly Expr[], backEdge: Expr): boolean {
  const labels = new Set<string>();
  for (const statement of statements) {
    walk(statement, (expr) => {
      const kind = kindOf(expr);
      const label = kind === 'Block' || kind === 'Loop' ? labelOf(expr) : undefined;
      if (label !== undefined) labels.add(label);
    });
  }
  const leaves = (expr: Expr): boolean => {
    const kind = kindOf(expr);
    if (kind === 'Return' || kind === 'Try' || isTailCall(expr)) return true;
    if (kind !== 'Break' && kind !== 'Switch') return false;
    return expr !== backEdge && targetsOf(expr).some((target) => !labels.has(target));
  };
  return statements.some((statement) => some(statement, leaves));
}

interface Decision {
  readonly counter: number;
  readonly test: Test;
  /** What the counter is tested against, and which operand of the condition that is; 0 when there is none. */
  readonly end?: { readonly value: Expr; readonly operand: number };
}

/** What a loop's condition may test: a local, just assigned or not, against an end. Of two locals either may count. */
function readDecisions(condition: Expr): Decision[] {
  const alone = readCounter(condition);
  if (alone !== undefined) return [{ counter: alone, test: 'not-equal' }];
  if (kindOf(condition) !== 'Binary') return [];
  const operands = childrenOf(condition);
  return tests.flatMap((byOperation, place): Decision[] => {
    const test = byOperation.get(binaryOperation(condition));
    const [tested, value] = [operands[place], operands[1 - place]];
    if (test === undefined || tested === undefined || value === undefined) return [];
    const counter = readCounter(tested);
    const isEnd = kindOf(value) === 'Const' || kindOf(value) === 'LocalGet';
    return counter === undefined || !isEnd ? [] : [{ counter, test, end: { value, operand: 1 - place } }];
  });
}

function readCounter(expr: Expr): number | undefined {
  const kind = kindOf(expr);
  return (kind === 'LocalGet' || kind === 'LocalSet') && typeOf(expr) === i32 ? localIndex(expr) : undefined;
}

/** What is added to a local once in every iteration, if that is the only way in which it changes. */
function findStep(statements: readonly Expr[], local: number): number | undefined {
  const [assignment, ...others] = assigns(statements, local);
  if (assignment === undefined || others.length > 0) return undefined;
  if (!statements.some((statement) => isAlwaysEvaluated(statement, assignment))) return undefined;
  const [value] = childrenOf(assignment);
  if (value === undefined || kindOf(value) !== 'Binary') return undefined;
  const sign = signs.get(binaryOperation(value));
  const [left, right] = childrenOf(value);
  if (left === undefined || kindOf(left) !== 'LocalGet' || localIndex(left) !== local) return undefined;
  if (sign === undefined || right === undefined || kindOf(right) !== 'Const') return undefined;
  const step = (sign * constant(right)) | 0;
  const size = Math.abs(step);
  return size > 0 && size <= LARGEST_STEP && (size & (size - 1)) === 0 ? step : undefined;
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

/** Whether evaluating `root` to its end always evaluates `target` once. */
function isAlwaysEvaluated(root: Expr, target: Expr): boolean {
  if (root === target) return true;
  const kind = kindOf(root);
  if (kind === 'Loop' || (kind === 'Block' && labelOf(root) !== undefined)) return false;
  const children = kind === 'If' ? childrenOf(root).slice(0, 1) : childrenOf(root);
  return children.some((child) => isAlwaysEvaluated(child, target));
}

/**
 * For `i != end`: `(end - i - step) / step`, and as many as can be where that leaves a remainder, because then the loop
 * runs on and on. For `i < end`, whose step is 1: `i + 1 < end ? end - i - 1 : 0`.
 */
function makeRemaining(make: Maker, test: Test, now: () => Expr, makeEnd: () => Expr, step: number): Expr {
  const next = (): Expr => make.add(now(), make.const(step));
  if (test !== 'not-equal') {
    const goesOn = test === 'less-signed' ? make.lessSigned(next(), makeEnd()) : make.lessUnsigned(next(), makeEnd());
    return make.select(goesOn, make.sub(makeEnd(), next()), make.const(0));
  }
  const distance = (): Expr => makeDistance(make, now(), makeEnd(), step);
  const size = Math.abs(step);
  if (size === 1) return distance();
  const whole = make.shiftRight(distance(), make.const(Math.log2(size)));
  return make.select(make.and(distance(), make.const(size - 1)), make.const(-1), whole);
}

/** From where the next iteration's counter will be to the end. */
function makeDistance(make: Maker, now: Expr, end: Expr, step: number): Expr {
  const next = make.add(now, make.const(step));
  return step > 0 ? make.sub(end, next) : make.sub(next, end);
}

/** `distance / step`, and a number above 2^16 where that leaves a remainder: such a counter never meets the end. */
function makeTurns(make: Maker, distance: Expr, step: number): Expr {
  const size = Math.abs(step);
  return size === 1 ? distance : make.rotateRight(distance, Math.log2(size));
}
