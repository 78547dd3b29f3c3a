/**
 * Looking at expressions: types, kinds, children in the order of evaluation, labels and names.
 */

import {
  type Accessor,
  api,
  asExpr,
  asType,
  type Expr,
  type ListAccessor,
  rawFunction,
  type Type,
} from './binaryen.js';

export const none: Type = asType(api.none);
export const unreachable: Type = asType(api.unreachable);
export const i32: Type = asType(api.i32);
export const i64: Type = asType(api.i64);
export const f32: Type = asType(api.f32);
export const f64: Type = asType(api.f64);
export const v128: Type = asType(api.v128);
/** Types of plain bits, which any zero is a value of. */
export const numberTypes: ReadonlySet<Type> = new Set([i32, i64, f32, f64, v128]);
export const funcref: Type = asType(api.funcref);
export const externref: Type = asType(api.externref);
export const exnref: Type = findExnref();

/** The reference of an exception: Binaryen's interface has no name for it, but knows it where it stands in a module. */
function findExnref(): Type {
  const module = api.parseText('(module (import "" "" (func $f (result exnref))))');
  const { results } = api.getFunctionInfo(module.getFunction('f'));
  module.dispose();
  return asType(results);
}

const typeNames: ReadonlyMap<number, string> = new Map(
  Object.entries({
    none,
    unreachable,
    i32,
    i64,
    f32,
    f64,
    v128,
    funcref,
    externref,
    exnref,
  }).map(([name, type]) => [type, name]),
);

/** The name of a type as wat writes it; tuples in parentheses. */
export function typeName(type: Type): string {
  const parts = typeParts(type);
  if (parts.length > 1) return `(${parts.map(typeName).join(' ')})`;
  return typeNames.get(type) ?? 'ref';
}

/** The types a tuple consists of; the type itself if it is none; nothing for `none`. */
export function typeParts(type: Type): Type[] {
  return type === none || type === unreachable ? [] : api.expandType(type).map(asType);
}

const heapTypeOf = rawFunction('TypeGetHeapType');
const isSignature = rawFunction('HeapTypeIsSignature');
const [func, noFunction, extern, noExtern] = ['Func', 'Nofunc', 'Ext', 'Noext'].map((name) =>
  rawFunction(`HeapType${name}`)(0),
);
const exception = heapTypeOf(exnref);
const noException = rawFunction('HeapTypeGetBottom')(exception);

/** The type without what Binaryen knows beyond it: `ref.func` gives one that no local can have. */
export function withoutRefinement(type: Type): Type {
  const parts = typeParts(type);
  if (parts.length > 1) return makeTupleType(parts.map(withoutRefinement));
  if (parts.length === 0 || typeNames.has(type)) return type;
  const heap = heapTypeOf(type);
  if (heap === func || heap === noFunction || isSignature(heap) !== 0) return funcref;
  if (heap === exception || heap === noException) return exnref;
  return heap === extern || heap === noExtern ? externref : type;
}

export function makeTupleType(parts: readonly Type[]): Type {
  return asType(api.createType(parts));
}

// --- Expressions -----------------------------------------------------------------------------------------------------

/** Children of the expression kinds with a fixed shape, in the order of evaluation; `?` marks one that may be absent. */
const fixedChildren: Readonly<Record<string, readonly string[]>> = {
  If: ['Condition', 'IfTrue', 'IfFalse?'],
  Loop: ['Body'],
  Break: ['Value?', 'Condition?'],
  Switch: ['Value?', 'Condition'],
  LocalGet: [],
  LocalSet: ['Value'],
  GlobalGet: [],
  GlobalSet: ['Value'],
  Load: ['Ptr'],
  Store: ['Ptr', 'Value'],
  Const: [],
  Unary: ['Value'],
  Binary: ['Left', 'Right'],
  Select: ['IfTrue', 'IfFalse', 'Condition'],
  Drop: ['Value'],
  Return: ['Value?'],
  MemorySize: [],
  MemoryGrow: ['Delta'],
  Nop: [],
  Unreachable: [],
  AtomicRMW: ['Ptr', 'Value'],
  AtomicCmpxchg: ['Ptr', 'Expected', 'Replacement'],
  AtomicWait: ['Ptr', 'Expected', 'Timeout'],
  AtomicNotify: ['Ptr', 'NotifyCount'],
  AtomicFence: [],
  SIMDExtract: ['Vec'],
  SIMDReplace: ['Vec', 'Value'],
  SIMDShuffle: ['Left', 'Right'],
  SIMDTernary: ['A', 'B', 'C'],
  SIMDShift: ['Vec', 'Shift'],
  SIMDLoad: ['Ptr'],
  SIMDLoadStoreLane: ['Ptr', 'Vec'],
  MemoryInit: ['Dest', 'Offset', 'Size'],
  DataDrop: [],
  ElemDrop: [],
  MemoryCopy: ['Dest', 'Source', 'Size'],
  MemoryFill: ['Dest', 'Value', 'Size'],
  RefNull: [],
  RefIsNull: ['Value'],
  RefFunc: [],
  RefEq: ['Left', 'Right'],
  TableGet: ['Index'],
  TableSet: ['Index', 'Value'],
  TableSize: [],
  TableGrow: ['Value', 'Delta'],
  TupleExtract: ['Tuple'],
  Rethrow: [],
  Pop: [],
};

/** Kinds with a list of children, and the fixed child that is evaluated after the list, if any. */
const listChildren: Readonly<Record<string, { list: string; plural: string; last?: string }>> = {
  Block: { list: 'Child', plural: 'Children' },
  Call: { list: 'Operand', plural: 'Operands' },
  CallIndirect: { list: 'Operand', plural: 'Operands', last: 'Target' },
  TupleMake: { list: 'Operand', plural: 'Operands' },
  Throw: { list: 'Operand', plural: 'Operands' },
  // The body of a try is evaluated before the catch bodies; analyses treat the whole as one opaque step.
  Try: { list: 'CatchBody', plural: 'CatchBodies', last: 'Body' },
};

interface Shape {
  readonly kind: string;
  readonly fixed: readonly { readonly get: Accessor; readonly set: Accessor }[];
  readonly list?: { readonly count: Accessor; readonly get: ListAccessor; readonly set: ListAccessor };
}

function makeShapes(): ReadonlyMap<number, Shape> {
  const shapes = new Map<number, Shape>();
  const access = (kind: string, child: string): Shape['fixed'][number] => ({
    get: rawFunction(`${kind}Get${child}`),
    set: rawFunction(`${kind}Set${child}`),
  });
  for (const [kind, children] of Object.entries(fixedChildren)) {
    const id = rawFunction(`${kind}Id`)(0);
    shapes.set(id, { kind, fixed: children.map((child) => access(kind, child.replace('?', ''))) });
  }
  for (const [kind, { list, plural, last }] of Object.entries(listChildren)) {
    shapes.set(rawFunction(`${kind}Id`)(0), {
      kind,
      fixed: last === undefined ? [] : [access(kind, last)],
      list: {
        count: rawFunction(`${kind}GetNum${plural}`),
        get: rawFunction(`${kind}Get${list}At`),
        set: rawFunction(`${kind}Set${list}At`),
      },
    });
  }
  return shapes;
}

const shapes = makeShapes();
const otherKinds: ReadonlyMap<number, string> = new Map(
  Object.keys(api)
    .filter((name) => /^_Binaryen\w+Id$/.test(name) && !name.includes('Get'))
    .map((name) => [rawFunction(name.slice('_Binaryen'.length))(0), name.slice('_Binaryen'.length, -'Id'.length)]),
);

/** The kind of an expression, by Binaryen's class names ('Block', 'LocalGet', ...), also of kinds we cannot walk. */
export function kindOf(expr: Expr): string {
  const id = api._BinaryenExpressionGetId(expr);
  return shapes.get(id)?.kind ?? otherKinds.get(id) ?? `expression kind ${id}`;
}

/** Whether {@link childrenOf} can see everything inside an expression of this kind. */
export function isWalkable(expr: Expr): boolean {
  return shapes.has(api._BinaryenExpressionGetId(expr));
}

/**
 * Table operations whose operands Binaryen's API does not show. The pass `prepare` flattens functions that have them, so
 * that the operands are constants or reads of locals: {@link hiddenLocals}.
 */
const opaqueKinds: ReadonlySet<string> = new Set(['TableInit', 'TableCopy', 'TableFill']);
export const isOpaque = (expr: Expr): boolean => opaqueKinds.has(kindOf(expr));

/**
 * The locals that an opaque expression reads. It is shown as text, and with the numbers of locals, for it is by itself
 * there; all locals, should one have a name.
 * @param count how many locals there are
 */
export function hiddenLocals(expr: Expr, count: number): number[] {
  const read = [...textOf(expr).matchAll(/\(local\.get \$([^\s()]+)\)/g)].map(([, name]) => Number(name));
  return read.every((local) => local < count) ? read : Array.from({ length: count }, (_, local) => local);
}

/** The children of an expression in the order of evaluation; absent ones are left out. */
export function childrenOf(expr: Expr): Expr[] {
  const shape = shapes.get(api._BinaryenExpressionGetId(expr));
  const children: Expr[] = [];
  if (shape === undefined) return children;
  if (shape.list !== undefined) {
    const count = shape.list.count(expr);
    for (let index = 0; index < count; index++) children.push(asExpr(shape.list.get(expr, index)));
  }
  for (const { get } of shape.fixed) {
    const child = get(expr);
    if (child !== 0) children.push(asExpr(child));
  }
  return children;
}

/** Puts `child` in the place of the `index`-th of {@link childrenOf}. */
export function setChild(expr: Expr, index: number, child: Expr): void {
  const shape = shapes.get(api._BinaryenExpressionGetId(expr));
  const listed = shape?.list?.count(expr) ?? 0;
  if (index < listed) {
    shape?.list?.set(expr, index, child);
    return;
  }
  const present = shape?.fixed.filter(({ get }) => get(expr) !== 0);
  present?.[index - listed]?.set(expr, child);
}

export const typeOf = (expr: Expr): Type => asType(api._BinaryenExpressionGetType(expr));
export const finalize = (expr: Expr): void => api._BinaryenExpressionFinalize(expr);
export const setType = (expr: Expr, type: Type): void => api._BinaryenExpressionSetType(expr, type);

/** Whether an expression of this type leaves a value. */
export const isConcrete = (type: Type): boolean => type !== none && type !== unreachable;

/** The label of a block or loop, or undefined when nothing can branch to it. */
export function labelOf(expr: Expr): string | undefined {
  const kind = kindOf(expr);
  const name = kind === 'Block' ? api.Block.getName(expr) : kind === 'Loop' ? api.Loop.getName(expr) : null;
  return name === null || name === '' ? undefined : name;
}

/** The labels that a Break or Switch may go to. */
export function targetsOf(expr: Expr): string[] {
  if (kindOf(expr) === 'Break') return [api.Break.getName(expr)];
  const names = new Set([api.Switch.getDefaultName(expr)]);
  const count = api.Switch.getNumNames(expr);
  for (let index = 0; index < count; index++) names.add(api.Switch.getNameAt(expr, index));
  return [...names];
}

export const isConditional = (expr: Expr): boolean => breakCondition(expr) !== 0;
const breakCondition = rawFunction('BreakGetCondition');
const breakValue = rawFunction('BreakGetValue');
const switchValue = rawFunction('SwitchGetValue');

/** The value that a Break or Switch carries to its label. */
export function carriedValue(expr: Expr): Expr | undefined {
  const value = kindOf(expr) === 'Break' ? breakValue(expr) : switchValue(expr);
  return value === 0 ? undefined : asExpr(value);
}

const breakSetValue = rawFunction('BreakSetValue');
const switchSetValue = rawFunction('SwitchSetValue');

/** Takes the carried value away from a Break or Switch. */
export function clearCarriedValue(expr: Expr): void {
  if (kindOf(expr) === 'Break') breakSetValue(expr, 0);
  else switchSetValue(expr, 0);
}

/** The index of the local that a LocalGet or LocalSet is about. */
export function localIndex(expr: Expr): number {
  return kindOf(expr) === 'LocalGet' ? api._BinaryenLocalGetGetIndex(expr) : api._BinaryenLocalSetGetIndex(expr);
}

/** The i32 local that an operand reads, or has just assigned. */
export function operandLocal(expr: Expr): number | undefined {
  const kind = kindOf(expr);
  return (kind === 'LocalGet' || kind === 'LocalSet') && typeOf(expr) === i32 ? localIndex(expr) : undefined;
}

/** The value of an i32 constant. */
export const constantOf: (expr: Expr) => number = rawFunction('ConstGetValueI32');
/** The operation of a Binary. */
export const binaryOperation: (expr: Expr) => number = rawFunction('BinaryGetOp');

export const isTee = (expr: Expr): boolean => api._BinaryenLocalSetIsTee(expr) !== 0;
export const callTarget = (expr: Expr): string => api.Call.getTarget(expr);
/** Whether an expression is a `return_call` or `return_call_indirect`. */
export function isTailCall(expr: Expr): boolean {
  const kind = kindOf(expr);
  return (kind === 'Call' && api.Call.isReturn(expr)) || (kind === 'CallIndirect' && api.CallIndirect.isReturn(expr));
}

/** The global that a GlobalGet or GlobalSet is about. */
export const globalOf = (expr: Expr): string =>
  (kindOf(expr) === 'GlobalGet' ? api.GlobalGet : api.GlobalSet).getName(expr);
export const setTableOf = (expr: Expr): string => api.TableSet.getTable(expr);
export const grownTableOf = (expr: Expr): string => api.TableGrow.getTable(expr);
export const referredFunction = (expr: Expr): string => api.RefFunc.getFunc(expr);
/** An expression in wat. */
export const textOf = (expr: Expr): string => api.emitText(expr);
export const droppedSegment = (expr: Expr): string => api.DataDrop.getSegment(expr);
export const indirectParams = (expr: Expr): Type => asType(api._BinaryenCallIndirectGetParams(expr));
export const indirectResults = (expr: Expr): Type => asType(api._BinaryenCallIndirectGetResults(expr));

/** Appends to a block without looking through it again, which Binaryen's own constructor does. */
export const appendChild = (block: Expr, child: Expr): void => api._BinaryenBlockAppendChild(block, child);
