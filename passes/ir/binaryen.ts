/**
 * The one file that imports `binaryen`. Expressions, functions and types are plain numbers in Binaryen's own API; here
 * each is a type of its own, so that one is never taken for another. Binaryen's declarations leave out the raw
 * `_Binaryen*` functions and the static accessors of expression classes, which are the fast way to walk code (0.1 us a
 * call, where `getExpressionInfo` takes 1 us a node); they are declared here and checked when this file is loaded.
 *
 * Rules of Binaryen's IR that its validator does not check and every pass must keep:
 * - a node has one parent: never share one, copy or rebuild it
 * - labels are unique within a function
 * - types of parents are re-finalised bottom-up after a child changed its type
 */

import type binaryenTypes from 'binaryen';

declare const brand: unique symbol;
/** An expression node. */
export type Expr = number & { readonly [brand]: 'Expr' };
/** A value type, `none`, `unreachable` or a tuple. */
export type Type = number & { readonly [brand]: 'Type' };
/** A function of the module. */
export type FunctionRef = number & { readonly [brand]: 'FunctionRef' };

export type BinaryenModule = InstanceType<typeof binaryenTypes.Module>;

export const asExpr = (value: number): Expr => value as Expr;
export const asType = (value: number): Type => value as Type;
export const asFunction = (value: number): FunctionRef => value as FunctionRef;

/** Gets a number out of an expression, or puts one in. */
export type Accessor = (expression: number, value?: number) => number;
/** Gets a number out of the `index`-th place of a list in an expression, or puts one in. */
export type ListAccessor = (expression: number, index: number, value?: number) => number;

interface LabelAccess<Name> {
  getName(expression: number): Name;
  setName(expression: number, name: string): void;
}

/** Names inside expressions; reading one copies a string, so it is done only where a name matters. */
interface NameAccess {
  readonly Block: LabelAccess<string | null>;
  readonly Loop: LabelAccess<string | null>;
  readonly Break: LabelAccess<string>;
  readonly Switch: {
    getNumNames(expression: number): number;
    getNameAt(expression: number, index: number): string;
    setNameAt(expression: number, index: number, name: string): void;
    getDefaultName(expression: number): string;
    setDefaultName(expression: number, name: string): void;
  };
  readonly Call: { getTarget(expression: number): string; isReturn(expression: number): boolean };
  readonly CallIndirect: { isReturn(expression: number): boolean };
  readonly GlobalGet: { getName(expression: number): string };
  readonly GlobalSet: { getName(expression: number): string };
  readonly TableSet: { getTable(expression: number): string };
  readonly TableGrow: { getTable(expression: number): string };
  readonly RefFunc: { getFunc(expression: number): string };
  readonly Try: {
    getName(expression: number): string | null;
    getCatchTagAt(expression: number, index: number): string;
    isDelegate(expression: number): boolean;
    getDelegateTarget(expression: number): string;
  };
  readonly Throw: { getTag(expression: number): string };
  readonly Function: {
    hasLocalName(fn: number, index: number): boolean;
    getLocalName(fn: number, index: number): string;
  };
  readonly DataDrop: { getSegment(expression: number): string };
}

interface RawFunctions {
  _BinaryenExpressionGetId(expression: number): number;
  _BinaryenExpressionGetType(expression: number): number;
  _BinaryenExpressionSetType(expression: number, type: number): void;
  _BinaryenExpressionFinalize(expression: number): void;
  _BinaryenExpressionGetSideEffects(expression: number, module: number): number;
  _BinaryenBlockAppendChild(expression: number, child: number): void;
  _BinaryenLocalGetGetIndex(expression: number): number;
  _BinaryenLocalSetGetIndex(expression: number): number;
  _BinaryenLocalSetIsTee(expression: number): number;
  _BinaryenCallIndirectGetParams(expression: number): number;
  _BinaryenCallIndirectGetResults(expression: number): number;
  _BinaryenStoreGetOffset(expression: number): number;
  _BinaryenFunctionAddVar(fn: number, type: number): number;
  _BinaryenFunctionGetNumVars(fn: number): number;
  _BinaryenFunctionGetVar(fn: number, index: number): number;
  _BinaryenFunctionGetBody(fn: number): number;
  _BinaryenFunctionSetBody(fn: number, body: number): void;
  _BinaryenGetNumFunctions(module: number): number;
  _BinaryenGetFunctionByIndex(module: number, index: number): number;
  _BinaryenGetNumGlobals(module: number): number;
  _BinaryenGetGlobalByIndex(module: number, index: number): number;
  _BinaryenGetNumTables(module: number): number;
  _BinaryenGetTableByIndex(module: number, index: number): number;
  _BinaryenGetNumExports(module: number): number;
  _BinaryenGetExportByIndex(module: number, index: number): number;
  _BinaryenGetNumElementSegments(module: number): number;
  _BinaryenGetElementSegmentByIndex(module: number, index: number): number;
  _BinaryenGetNumDataSegments(module: number): number;
  _BinaryenGetDataSegmentByIndex(module: number, index: number): number;
  _BinaryenHasMemory(module: number): number;
  _BinaryenElementSegmentGetOffset(segment: number): number;
  _BinaryenElementSegmentGetData(segment: number, index: number): number;
}

const rawNames: readonly (keyof RawFunctions)[] = [
  '_BinaryenExpressionGetId',
  '_BinaryenExpressionGetType',
  '_BinaryenExpressionSetType',
  '_BinaryenExpressionFinalize',
  '_BinaryenExpressionGetSideEffects',
  '_BinaryenBlockAppendChild',
  '_BinaryenLocalGetGetIndex',
  '_BinaryenLocalSetGetIndex',
  '_BinaryenLocalSetIsTee',
  '_BinaryenCallIndirectGetParams',
  '_BinaryenCallIndirectGetResults',
  '_BinaryenStoreGetOffset',
  '_BinaryenFunctionAddVar',
  '_BinaryenFunctionGetNumVars',
  '_BinaryenFunctionGetVar',
  '_BinaryenFunctionGetBody',
  '_BinaryenFunctionSetBody',
  '_BinaryenGetNumFunctions',
  '_BinaryenGetFunctionByIndex',
  '_BinaryenGetNumGlobals',
  '_BinaryenGetGlobalByIndex',
  '_BinaryenGetNumTables',
  '_BinaryenGetTableByIndex',
  '_BinaryenGetNumExports',
  '_BinaryenGetExportByIndex',
  '_BinaryenGetNumElementSegments',
  '_BinaryenGetElementSegmentByIndex',
  '_BinaryenGetNumDataSegments',
  '_BinaryenGetDataSegmentByIndex',
  '_BinaryenHasMemory',
  '_BinaryenElementSegmentGetOffset',
  '_BinaryenElementSegmentGetData',
];

type UndeclaredApi = RawFunctions & NameAccess;

function hasUndeclaredApi<T extends object>(candidate: T): candidate is T & UndeclaredApi {
  return rawNames.every((name) => typeof Reflect.get(candidate, name) === 'function') && 'RefFunc' in candidate;
}

// Every engine has a console, but no ECMAScript library that this layer is compiled against declares it.
declare const console: Record<'log' | 'warn' | 'error', (...parts: unknown[]) => void>;

let printed: string[] | undefined;

/** What Binaryen prints while `run` runs: the only way in which its validator gives reasons. */
export function collectPrinted(run: () => void): string {
  printed = [];
  try {
    run();
    return printed.join('\n').trim();
  } finally {
    printed = undefined;
  }
}

/** Runs what prints things that nobody needs. */
export function withoutPrinting<T>(run: () => T): T {
  printed = [];
  try {
    return run();
  } finally {
    printed = undefined;
  }
}

/** Binaryen binds the console's methods when it is loaded, so ours have to be in place just then. */
async function loadBinaryen(): Promise<typeof binaryenTypes> {
  const { log, warn, error } = console;
  const redirect =
    (print: typeof log) =>
    (...parts: unknown[]): void => {
      if (printed === undefined) print(...parts);
      else printed.push(parts.join(' '));
    };
  Object.assign(console, { log: redirect(log), warn: redirect(warn), error: redirect(error) });
  try {
    return (await import('binaryen')).default;
  } finally {
    Object.assign(console, { log, warn, error });
  }
}

function checkedApi(binaryen: typeof binaryenTypes): typeof binaryenTypes & UndeclaredApi {
  if (!hasUndeclaredApi(binaryen))
    throw new Error('this build of the binaryen package lacks functions that mvvmc uses');
  return binaryen;
}

/** All of Binaryen's API. */
export const api: typeof binaryenTypes & UndeclaredApi = checkedApi(await loadBinaryen());

function isAccessor(value: unknown): value is Accessor & ListAccessor {
  return typeof value === 'function';
}

/** A function of the raw API chosen by name, for tables of accessors. */
export function rawFunction(name: string): Accessor & ListAccessor {
  const found: unknown = Reflect.get(api, `_Binaryen${name}`);
  if (!isAccessor(found)) throw new Error(`this build of the binaryen package has no _Binaryen${name}`);
  return found;
}

/**
 * Gives back what `run` leaves on the stack that Binaryen has in its memory. An exception that leaves Binaryen takes nothing
 * off it, so that thousands of modules that it refuses would make it grow into the heap, which spoils both.
 */
export function keepingStack<T>(run: () => T): T {
  // No function of Binaryen's interface does this alone, but this one does it around a raw function, here for ours.
  const name = '_BinaryenAddPassToSkip';
  const add: unknown = Reflect.get(api, name);
  let result: { readonly value: T } | undefined;
  Reflect.set(api, name, () => {
    Reflect.set(api, name, add);
    result = { value: run() };
  });
  try {
    api.addPassToSkip('');
  } finally {
    Reflect.set(api, name, add);
  }
  if (result === undefined) throw new Error('this build of the binaryen package has another way to skip passes');
  return result.value;
}

/** The name of a data segment; the method that tells it is not declared. */
export function dataSegmentName(module: object, segment: number): string {
  const getInfo: unknown = Reflect.get(module, 'getDataSegmentInfo');
  if (typeof getInfo !== 'function') throw new Error('this build of the binaryen package has no getDataSegmentInfo');
  const info: unknown = Reflect.apply(getInfo, module, [segment]);
  return typeof info === 'object' && info !== null && 'name' in info ? String(info.name) : '';
}

/** What an element segment has in it. */
export interface Elements {
  /** The functions that it names, and '' for other elements. */
  readonly names: readonly string[];
  /** Whether there are others than functions and nulls, such as the value of a global. */
  readonly hasOthers: boolean;
}

/**
 * Binaryen's own reader throws at elements that are neither functions nor null, and asks for the segment's offset, which
 * aborts where the segment is passive and has none: both are answered here.
 */
export function elementsOf(segment: number): Elements {
  let hasOthers = false;
  const { _BinaryenElementSegmentGetOffset: getOffset, _BinaryenElementSegmentGetData: getData } = api;
  api._BinaryenElementSegmentGetOffset = () => 0;
  api._BinaryenElementSegmentGetData = (of, index) => {
    try {
      return getData(of, index);
    } catch {
      hasOthers = true;
      return 0;
    }
  };
  try {
    const names = api.getElementSegmentInfo(segment).data;
    return { names, hasOthers };
  } finally {
    api._BinaryenElementSegmentGetOffset = getOffset;
    api._BinaryenElementSegmentGetData = getData;
  }
}

/** What Binaryen says of what it threw, in one line. That is no `Error`, and the function that tells it is not declared. */
export function failureText(error: unknown): string {
  const getMessage: unknown = Reflect.get(api, 'getExceptionMessage');
  const said: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : error;
  const message: unknown =
    said === undefined && typeof getMessage === 'function' ? Reflect.apply(getMessage, api, [error])?.[1] : said;
  const text = String(message ?? '');
  return text.replace(/\s+/g, ' ').trim() || 'no reason given';
}
