/**
 * Ranges: which values an i32 can have, as far as one sees from the code that computes it. What is not known is left out, so
 * that a set of ranges stays small.
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
import { some } from './walk.js';

/**
 * From `least` to `most`, both included, and modulo 2^32: from -1 to 1 are three values. `least` is from -2^31 to 2^31 - 1, and
 * `most` less than 2^32 more.
 */
export interface Range {
  readonly least: number;
  readonly most: number;
}

/** What is known of locals. */
export type Ranges = ReadonlyMap<number, Range>;

const MODULUS = 2 ** 32;
const LARGEST_UNSIGNED = MODULUS - 1;
const LARGEST_SIGNED = 2 ** 31 - 1;
const flag: Range = { least: 0, most: 1 };

const unaryOperation = rawFunction('UnaryGetOp');
const loadedBytes = rawFunction('LoadGetBytes');
const isSignedLoad = rawFunction('LoadIsSigned');

/** What an operand has of which nothing is known. */
const anything: Range = { least: 0, most: LARGEST_UNSIGNED };
const anythingSigned: Range = { least: -LARGEST_SIGNED - 1, most: LARGEST_SIGNED };

/** A range, from any two numbers. @returns undefined if that is everything, or nothing */
export function within(least: number, most: number): Range | undefined {
  if (most - least >= LARGEST_UNSIGNED || least > most) return undefined;
  const shift = Math.floor((least + LARGEST_SIGNED + 1) / MODULUS) * MODULUS;
  return { least: least - shift, most: most - shift };
}

const exactly = (value: number): Range => ({ least: value | 0, most: value | 0 });
const allBut = (value: number): Range | undefined => within(value + 1, value + LARGEST_UNSIGNED);
const isExact = ({ least, most }: Range): boolean => least === most;

/** The same range in numbers that count as unsigned; undefined where it has both the largest of them and zero. */
export function asUnsigned({ least, most }: Range): Range | undefined {
  if (least >= 0) return most <= LARGEST_UNSIGNED ? { least, most } : undefined;
  return most < 0 ? { least: least + MODULUS, most: most + MODULUS } : undefined;
}

/** The same range in numbers that count as signed; undefined where it has both the largest of them and the least. */
export function asSigned(range: Range): Range | undefined {
  return range.most <= LARGEST_SIGNED ? range : undefined;
}

/** A shift by a known number of bits. */
const isShift = ({ least, most }: Range): boolean => least === most && least >= 0 && most < 32;

/** Products with factors up to this are exact. */
const LARGEST_FACTOR = 2 ** 16;

/** The range of a product with a constant. */
function times({ least, most }: Range, factor: number): Range | undefined {
  if (Math.abs(factor) > LARGEST_FACTOR) return undefined;
  return within(Math.min(least * factor, most * factor), Math.max(least * factor, most * factor));
}

type Operation = (left: Range, right: Range) => Range | undefined;

/** An operation on unsigned numbers. */
const unsigned =
  (operation: Operation): Operation =>
  (left, right) =>
    operation(asUnsigned(left) ?? anything, asUnsigned(right) ?? anything);

/** By operation, the range of the result. */
const binary: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [api.AndInt32, unsigned((a, b) => within(0, Math.min(a.most, b.most)))],
  [api.AddInt32, (a, b) => within(a.least + b.least, a.most + b.most)],
  [api.SubInt32, (a, b) => within(a.least - b.most, a.most - b.least)],
  [api.MulInt32, (a, b) => (isExact(b) ? times(a, b.least) : undefined)],
  [api.ShlInt32, (a, b) => (isShift(b) ? times(a, 2 ** b.least) : undefined)],
  [
    api.ShrUInt32,
    unsigned((a, b) => (isShift(b) ? within(a.least >>> b.least, a.most >>> b.least) : within(0, a.most))),
  ],
  [
    api.DivUInt32,
    unsigned((a, b) =>
      b.least > 0 ? within(Math.floor(a.least / b.most), Math.floor(a.most / b.least)) : within(0, a.most),
    ),
  ],
  [api.RemUInt32, unsigned((a, b) => within(0, Math.min(a.most, Math.max(b.most - 1, 0))))],
]);

type Relation = 'Eq' | 'Ne' | 'LtU' | 'LeU' | 'GtU' | 'GeU' | 'LtS' | 'LeS' | 'GtS' | 'GeS';

/** By relation, the one that holds when it does not, and the one that the operands have in the other order. */
const relations: Readonly<Record<Relation, { readonly contrary: Relation; readonly mirrored: Relation }>> = {
  Eq: { contrary: 'Ne', mirrored: 'Eq' },
  Ne: { contrary: 'Eq', mirrored: 'Ne' },
  LtU: { contrary: 'GeU', mirrored: 'GtU' },
  LeU: { contrary: 'GtU', mirrored: 'GeU' },
  GtU: { contrary: 'LeU', mirrored: 'LtU' },
  GeU: { contrary: 'LtU', mirrored: 'LeU' },
  LtS: { contrary: 'GeS', mirrored: 'GtS' },
  LeS: { contrary: 'GtS', mirrored: 'GeS' },
  GtS: { contrary: 'LeS', mirrored: 'LtS' },
  GeS: { contrary: 'LtS', mirrored: 'LeS' },
};
const isRelation = (name: string): name is Relation => name in relations;
const operationsOf = (type: string): [number, Relation][] =>
  Object.keys(relations)
    .filter(isRelation)
    .map((name) => [Number(Reflect.get(api, name + type)), name]);
const relationOf: ReadonlyMap<number, Relation> = new Map(operationsOf('Int32'));
const comparisons: ReadonlySet<number> = new Set(
  ['Int32', 'Int64'].flatMap(operationsOf).map(([operation]) => operation),
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
      return exactly(constantOf(expr));
    case 'LocalGet':
      return known.get(localIndex(expr));
    case 'Binary': {
      return isComparison(expr) ? flag : binary.get(binaryOperation(expr))?.(first, second);
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

/** @returns undefined if that is everything */
export function union(a: Range, b: Range): Range | undefined {
  return within(Math.min(a.least, b.least), Math.max(a.most, b.most));
}

// --- What conditions say ---

/** What a condition that holds, or does not, says about a local. */
export interface Finding {
  readonly local: number;
  readonly range: Range;
}

/** What one learns from a condition that was evaluated. @param holds whether it was other than zero */
export function learn(condition: Expr, holds: boolean, known: Ranges): Finding[] {
  const local = operandLocal(condition);
  const [left, right] = childrenOf(condition);
  if (local !== undefined) {
    // In there the local is what it was before it was assigned.
    const before = new Map([...known].filter(([other]) => other !== local));
    const inside = left === undefined ? [] : learn(left, holds, before);
    return [
      ...narrow(local, known, holds ? allBut(0) : exactly(0)),
      ...inside.filter((other) => other.local !== local),
    ];
  }
  if (left === undefined) return [];
  if (kindOf(condition) === 'Unary')
    return unaryOperation(condition) === api.EqZInt32 ? learn(left, !holds, known) : [];
  const relation = kindOf(condition) === 'Binary' ? relationOf.get(binaryOperation(condition)) : undefined;
  if (relation === undefined || right === undefined || sets(right, operandLocal(left))) return [];
  const so = holds ? relation : relations[relation].contrary;
  return [...compare(so, left, right, known), ...compare(relations[so].mirrored, right, left, known)];
}

/** What is learned of an operand from how it compares with another. */
function compare(relation: Relation, operand: Expr, other: Expr, known: Ranges): Finding[] {
  const local = operandLocal(operand);
  const [otherLocal, isConstant] = [operandLocal(other), kindOf(other) === 'Const'];
  const range = isConstant ? exactly(constantOf(other)) : otherLocal === undefined ? undefined : known.get(otherLocal);
  return local === undefined || range === undefined ? [] : narrow(local, known, valuesThat(relation, range));
}

/** The values that have a relation to one in the range. */
function valuesThat(relation: Relation, range: Range): Range | undefined {
  const to = asUnsigned(range) ?? anything;
  const toSigned = asSigned(range) ?? anythingSigned;
  switch (relation) {
    case 'Eq':
      return range;
    case 'Ne':
      return isExact(range) ? allBut(range.least) : undefined;
    case 'LtU':
      return within(0, to.most - 1);
    case 'LeU':
      return within(0, to.most);
    case 'GtU':
      return within(to.least + 1, LARGEST_UNSIGNED);
    case 'GeU':
      return within(to.least, LARGEST_UNSIGNED);
    case 'LtS':
      return within(anythingSigned.least, toSigned.most - 1);
    case 'LeS':
      return within(anythingSigned.least, toSigned.most);
    case 'GtS':
      return within(toSigned.least + 1, LARGEST_SIGNED);
    case 'GeS':
      return within(toSigned.least, LARGEST_SIGNED);
  }
}

/** @returns nothing if it cannot be */
function narrow(local: number, known: Ranges, by: Range | undefined): Finding[] {
  const before = known.get(local);
  const range = before === undefined || by === undefined ? by : intersect(before, by);
  return range === undefined ? [] : [{ local, range }];
}

/** What two ranges have in common, or if that is in two parts, the smaller of them; undefined if they have nothing. */
function intersect(a: Range, b: Range): Range | undefined {
  const parts = [-MODULUS, 0, MODULUS].flatMap((shift) => {
    const [least, most] = [Math.max(a.least, b.least + shift), Math.min(a.most, b.most + shift)];
    return within(least, most) ?? [];
  });
  if (parts.length > 1) return a.most - a.least < b.most - b.least ? a : b;
  return parts[0];
}

/** Whether an operation compares two numbers of 32 or 64 bits. */
export function isComparison(expr: Expr): boolean {
  return kindOf(expr) === 'Binary' && comparisons.has(binaryOperation(expr));
}

function sets(expr: Expr, local: number | undefined): boolean {
  return some(expr, (inner) => kindOf(inner) === 'LocalSet' && localIndex(inner) === local);
}
