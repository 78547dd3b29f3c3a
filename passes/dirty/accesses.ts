/** Expressions that access memory: where, and whether they change it. */

import { api, type Expr, rawFunction } from '../ir/binaryen.js';
import { kindOf } from '../ir/expressions.js';
import { some } from '../ir/walk.js';

/** Bytes of a v128, the widest value there is. */
export const WIDEST = 16;

const offsetOf: Readonly<Record<string, (expr: number) => number>> = {
  Load: rawFunction('LoadGetOffset'),
  Store: (expr) => api._BinaryenStoreGetOffset(expr),
  SIMDLoad: rawFunction('SIMDLoadGetOffset'),
  SIMDLoadStoreLane: rawFunction('SIMDLoadStoreLaneGetOffset'),
  AtomicRMW: rawFunction('AtomicRMWGetOffset'),
  AtomicCmpxchg: rawFunction('AtomicCmpxchgGetOffset'),
};

/** The constant offset of an access to one place, whose address is its first operand; undefined for anything else. */
export const accessOffset = (expr: Expr): number | undefined => offsetOf[kindOf(expr)]?.(expr);

const placeWriters: ReadonlySet<string> = new Set(['Store', 'SIMDLoadStoreLane', 'AtomicRMW', 'AtomicCmpxchg']);
const rangeWriters: ReadonlySet<string> = new Set(['MemoryFill', 'MemoryCopy', 'MemoryInit']);

/** Whether an expression writes to one place. */
export const writesPlace = (expr: Expr): boolean => placeWriters.has(kindOf(expr));
/** Whether an expression writes to as many bytes as its last operand says, from its first on. */
export const writesRange = (expr: Expr): boolean => rangeWriters.has(kindOf(expr));

/** Whether evaluating an expression may change memory other than through calls. */
export const writes = (root: Expr): boolean => some(root, (expr) => writesPlace(expr) || writesRange(expr));
