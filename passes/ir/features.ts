/** Which WebAssembly features a module uses, as Binaryen's feature bits. Its own mask of all of them also turns on encodings that engines reject. */

import { refuse, unsupportedInstruction } from '../diagnostics.js';
import { api, type Expr, rawFunction, type Type } from './binaryen.js';
import { findTags, payloadOf } from './exceptions.js';
import {
  binaryOperation,
  f32,
  f64,
  funcref,
  i32,
  i64,
  isOpaque,
  isTailCall,
  isWalkable,
  kindOf,
  typeOf,
  typeParts,
  v128,
} from './expressions.js';
import type { IrModule } from './module.js';
import { walk } from './walk.js';

/** Binaryen's bits. */
const bits = {
  atomics: 1 << 0,
  mutableGlobals: 1 << 1,
  saturatingConversion: 1 << 2,
  simd: 1 << 3,
  bulkMemory: (1 << 4) | (1 << 19),
  signExtension: 1 << 5,
  exceptions: 1 << 6,
  tailCalls: 1 << 7,
  referenceTypes: 1 << 8,
  multiValue: 1 << 9,
  relaxedSimd: 1 << 12,
  extendedConst: 1 << 13,
  memory64: 1 << 11,
  multiMemory: 1 << 15,
} as const;

/** What the oldest engine that we support knows. */
export const featuresOfAllEngines: number =
  bits.atomics |
  bits.mutableGlobals |
  bits.saturatingConversion |
  bits.simd |
  bits.bulkMemory |
  bits.signExtension |
  bits.exceptions |
  bits.tailCalls |
  bits.referenceTypes |
  bits.multiValue;

/** All that the compiler takes. */
export const supportedFeatures: number = Object.values(bits).reduce((mask, bit) => mask | bit, 0);

/** What every engine has that knows exceptions in their newer form. */
export const featuresBesideNewerExceptions: number =
  bits.exceptions | bits.bulkMemory | bits.referenceTypes | bits.multiValue;

/** No bit of Binaryen's: exceptions in their newer form, which have to be translated before anything else (exnref/). */
export const newerExceptions: number = 1 << 30;
const newerKinds: ReadonlySet<string> = new Set(['TryTable', 'ThrowRef']);

const bitsByKind: Readonly<Record<string, number>> = {
  AtomicRMW: bits.atomics,
  AtomicCmpxchg: bits.atomics,
  AtomicWait: bits.atomics,
  AtomicNotify: bits.atomics,
  AtomicFence: bits.atomics,
  MemoryInit: bits.bulkMemory,
  MemoryCopy: bits.bulkMemory,
  MemoryFill: bits.bulkMemory,
  DataDrop: bits.bulkMemory,
  TableInit: bits.bulkMemory | bits.referenceTypes,
  TableCopy: bits.bulkMemory | bits.referenceTypes,
  ElemDrop: bits.bulkMemory | bits.referenceTypes,
  TableFill: bits.bulkMemory | bits.referenceTypes,
  TableGet: bits.bulkMemory | bits.referenceTypes,
  TableSet: bits.bulkMemory | bits.referenceTypes,
  TableSize: bits.bulkMemory | bits.referenceTypes,
  TableGrow: bits.bulkMemory | bits.referenceTypes,
  RefNull: bits.bulkMemory | bits.referenceTypes,
  RefFunc: bits.bulkMemory | bits.referenceTypes,
  RefIsNull: bits.bulkMemory | bits.referenceTypes,
  TupleMake: bits.multiValue,
  TupleExtract: bits.multiValue,
  Try: bits.exceptions,
  Throw: bits.exceptions,
  Rethrow: bits.exceptions,
};

const operations = (pattern: RegExp): ReadonlySet<number> =>
  new Set(
    Object.entries(api).flatMap(([name, value]) => (pattern.test(name) && typeof value === 'number' ? [value] : [])),
  );
const saturating = operations(/^TruncSat[SU]Float(32|64)ToInt(32|64)$/);
const signExtending = operations(/^ExtendS(8|16|32)Int(32|64)$/);
const relaxedUnary = operations(/^RelaxedTrunc/);
const relaxedBinary = operations(/^Relaxed(Swizzle|Min|Max|Q15|DotI8x16I7x16SToVec)/);
const relaxedTernary = operations(/^Relaxed(Madd|Nmadd|Laneselect|DotI8x16I7x16AddS)/);
const unaryOperation = rawFunction('UnaryGetOp');
const ternaryOperation = rawFunction('SIMDTernaryGetOp');

/** The names of features in a mask, for people. */
export function featureNames(mask: number): string[] {
  return Object.entries(bits).flatMap(([name, bit]) => ((mask & bit) === 0 ? [] : [name]));
}

/** @throws {CompileError} `unsupported/instruction` for what cannot be looked into */
export function findFeatures(module: IrModule): number {
  let found = 0;
  for (const fn of module.functions()) {
    if (typeParts(fn.results).length > 1) found |= bits.multiValue;
    for (const type of [...typeParts(fn.params), ...typeParts(fn.results)]) found |= featuresOfType(type);
    if (fn.imported !== undefined) continue;
    for (const type of module.localTypes(fn)) found |= featuresOfType(type);
    walk(module.body(fn), (expr) => {
      // What cannot be walked may hide calls, and the optimiser does not know that its feature is used.
      if (newerKinds.has(kindOf(expr))) found |= newerExceptions;
      else if (!isWalkable(expr) && !isOpaque(expr)) refuse(unsupportedInstruction(fn.name, kindOf(expr)));
      found |= featuresOf(expr);
    });
  }
  for (const expr of module.constantExpressions()) {
    walk(expr, (part) => {
      found |= featuresOf(part) | (kindOf(part) === 'Binary' ? bits.extendedConst : 0);
    });
  }
  const globals = new Map(module.globals().map((global) => [global.name, global]));
  for (const global of globals.values()) {
    found |= featuresOfType(global.type);
    if (global.imported && global.mutable) found |= bits.mutableGlobals;
  }
  for (const { kind, item } of module.exports()) {
    if (kind === 'global' && globals.get(item)?.mutable) found |= bits.mutableGlobals;
  }
  for (const { type } of module.tables()) if (type !== funcref) found |= bits.bulkMemory | bits.referenceTypes;
  // That tags are exceptions at all is found where they are thrown or caught.
  for (const tag of findTags(module)) found |= bits.exceptions | featuresOfType(payloadOf(module, tag));
  if (module.memories.someShared) found |= bits.atomics;
  if (module.memories.some64 || module.tableIs64) found |= bits.memory64;
  if (module.memories.areMany) found |= bits.multiMemory;
  if (module.tables().length > 1 || module.elements.haveNulls) found |= bits.bulkMemory | bits.referenceTypes;
  if (module.hasPassiveSegments()) found |= bits.bulkMemory;
  return found;
}

function featuresOf(expr: Expr): number {
  const kind = kindOf(expr);
  const known = bitsByKind[kind] ?? 0;
  switch (kind) {
    case 'Unary': {
      const operation = unaryOperation(expr);
      if (saturating.has(operation)) return bits.saturatingConversion;
      if (signExtending.has(operation)) return bits.signExtension;
      if (relaxedUnary.has(operation)) return bits.simd | bits.relaxedSimd;
      break;
    }
    case 'Binary':
      if (relaxedBinary.has(binaryOperation(expr))) return bits.simd | bits.relaxedSimd;
      break;
    case 'SIMDTernary':
      if (relaxedTernary.has(ternaryOperation(expr))) return bits.simd | bits.relaxedSimd;
      break;
    case 'Call':
    case 'CallIndirect':
      if (isTailCall(expr)) return bits.tailCalls;
      break;
  }
  return known | (kind.startsWith('SIMD') ? bits.simd : featuresOfType(typeOf(expr)));
}

function featuresOfType(type: Type): number {
  const parts = typeParts(type);
  if (parts.length > 1) return parts.reduce((found, part) => found | featuresOfType(part), bits.multiValue);
  if (type === v128) return bits.simd;
  const isNumber = parts.length === 0 || type === i32 || type === i64 || type === f32 || type === f64;
  return isNumber ? 0 : bits.bulkMemory | bits.referenceTypes;
}
