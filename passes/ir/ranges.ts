/**
 * Ranges: which values an i32 can have, as far as one sees from the code that computes it. Values count as unsigned, and
 * what is not known is left out, so that a set of ranges stays small.
 */

import { api, type Expr, rawFunction } from './binaryen.js';
import {
  binaryOperation,
  childrenOf,
  constantOf,
  i32,
  kindOf,
  localIndex,
  operandLocal,
  typeOf,
} from './expressions.js';

/** From `least` to `most`, both included. */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/** What is known of locals. */
export type Ranges = ReadonlyMap<number, Range>;

const LARGEST = 2 ** 32 - 1;
const flag: Range = { least: 0, most: 1 };

const unaryOperation = rawFunction('UnaryGetOp');
const loadedBytes = rawFunction('LoadGetBytes');
const isSignedLoad = rawFunction('LoadIsSigned');

const exactly = (value: number): Range => ({ least: value, most: value });
const within = (least: number, most: number): Range | undefined =>
  least >= 0 && most <= LARGEST && least <= most ? { least, most } : undefined;

/** What an operand has of which nothing is known. */
const anything: Range = { least: 0, most: LARGEST };

/** A shift by a known number of bits. */
const isShift = ({ least, most }: Range): boolean => least === most && most < 32;

/** By operation, the range of the result. */
const binary: ReadonlyMap<number, (left: Range, right: Range) => Range | undefined> = new Map([
  [api.AndInt32, (a, b) => within(0, Math.min(a.most, b.most))],
  [api.AddInt32, (a, b) => within(a.least + b.least, a.most + b.most)],
  [api.SubInt32, (a, b) => within(a.least - b.most, a.most - b.least)],
  [api.ShrUInt32, (a, b) => (isShift(b) ? within(a.least >>> b.least, a.most >>> b.least) : within(0, a.most))],
  [api.ShlInt32, (a, b) => (isShift(b) ? within(a.least * 2 ** b.least, a.most * 2 ** b.least) : undefined)],
  [
    api.DivUInt32,
    (a, b) => (b.least > 0 ? within(Math.floor(a.least / b.most), Math.floor(a.most / b.least)) : within(0, a.most)),
  ],
  [api.RemUInt32, (a, b) => within(0, Math.min(a.most, Math.max(b.most - 1, 0)))],
]);

const comparisons: ReadonlySet<number> = new Set(
  ['Eq', 'Ne', 'LtS', 'LtU', 'GtS', 'GtU', 'LeS', 'LeU', 'GeS', 'GeU'].flatMap((name) =>
    ['Int32', 'Int64'].map((type) => Number(Reflect.get(api, `${name}${type}`))),
  ),
);
const bitCounts: ReadonlySet<number> = new Set([api.ClzInt32, api.CtzInt32, api.PopcntInt32]);
const zeroTests: ReadonlySet<number> = new Set([api.EqZInt32, api.EqZInt64]);

/**
 * The range of an expression's value.
 * @param children the ranges of what it is computed from
 */
export function rangeOf(expr: Expr, known: Ranges, children: readonly (Range | undefined)[]): Range | undefined {
  // An assignment has the range of what is assigned, whether it is a value itself or not.
  if (kindOf(expr) === 'LocalSet') return children[0];
  if (typeOf(expr) !== i32) return undefined;
  const [first = anything, second = anything] = children;
  switch (kindOf(expr)) {
    case 'Const':
      return exactly(constantOf(expr) >>> 0);
    case 'LocalGet':
      return known.get(localIndex(expr));
    case 'Binary': {
      const operation = binaryOperation(expr);
      return comparisons.has(operation) ? flag : binary.get(operation)?.(first, second);
    }
    case 'Unary':
      if (zeroTests.has(unaryOperation(expr))) return flag;
      return bitCounts.has(unaryOperation(expr)) ? { least: 0, most: 32 } : undefined;
    case 'Load':
      return isSignedLoad(expr) || loadedBytes(expr) === 4
        ? undefined
        : { least: 0, most: 256 ** loadedBytes(expr) - 1 };
    case 'Select':
      return children[0] && children[1] && union(children[0], children[1]);
    default:
      return undefined;
  }
}

export function union(a: Range, b: Range): Range {
  return { least: Math.min(a.least, b.least), most: Math.max(a.most, b.most) };
}

/** What a condition that holds, or does not, says about a local. */
export interface Finding {
  readonly local: number;
  readonly range: Range;
}

/** What one learns from a condition that was evaluated. @param holds whether it was other than zero */
export function learn(condition: Expr, holds: boolean, known: Ranges): Finding | undefined {
  const local = operandLocal(condition);
  if (local !== undefined) return narrow(local, known, holds ? { least: 1, most: LARGEST } : exactly(0));
  const [left, right] = childrenOf(condition);
  if (left === undefined) return undefined;
  if (kindOf(condition) === 'Unary' && unaryOperation(condition) === api.EqZInt32) return learn(left, !holds, known);
  const compared = operandLocal(left);
  if (kindOf(condition) !== 'Binary' || right === undefined || kindOf(right) !== 'Const' || compared === undefined) {
    return undefined;
  }
  const range = unsignedBounds(binaryOperation(condition), constantOf(right) >>> 0, holds);
  return range === undefined ? undefined : narrow(compared, known, range);
}

/** The values for which a comparison with a constant holds, or does not. */
function unsignedBounds(operation: number, value: number, holds: boolean): Range | undefined {
  switch (operation) {
    case api.LtUInt32:
      return holds ? within(0, value - 1) : within(value, LARGEST);
    case api.GeUInt32:
      return unsignedBounds(api.LtUInt32, value, !holds);
    case api.LeUInt32:
      return holds ? within(0, value) : within(value + 1, LARGEST);
    case api.GtUInt32:
      return unsignedBounds(api.LeUInt32, value, !holds);
    case api.EqInt32:
      return holds ? exactly(value) : undefined;
    case api.NeInt32:
      return holds ? undefined : exactly(value);
    default:
      return undefined;
  }
}

function narrow(local: number, known: Ranges, by: Range): Finding | undefined {
  const before = known.get(local) ?? anything;
  const range = within(Math.max(before.least, by.least), Math.min(before.most, by.most));
  return range === undefined ? undefined : { local, range };
}
