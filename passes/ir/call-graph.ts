/**
 * Who calls whom, and which functions can be stopped.
 *
 * A function can be stopped if it has a mark, calls an import that can block, or calls a function that can be stopped.
 * It is then *instrumented*: its frame must be able to leave and come back. An indirect call may reach every function
 * of its type whose reference exists (element segments, globals, ref.func, and exports where a host can write to the table).
 */

import { canBlock } from '../../runtime/abi/index.js';
import { blockingImportInTable, refuse } from '../diagnostics.js';
import type { Expr, Type } from './binaryen.js';
import {
  callTarget,
  indirectParams,
  indirectResults,
  isTailCall,
  kindOf,
  referredFunction,
  textOf,
} from './expressions.js';
import { readMark } from './marks.js';
import type { FunctionInfo, IrModule } from './module.js';
import { walk } from './walk.js';

/** How a call behaves when a checkpoint is taken during it. */
export type CallKind =
  /** The callee's frame leaves, then ours. */
  | 'frame'
  /** The host leaves the call unfinished; it is made again on restore. */
  | 'host'
  /** No checkpoint can be taken during it. */
  | 'plain';

interface Node {
  readonly info: FunctionInfo;
  readonly callees: ReadonlySet<string>;
  /** Types of indirect calls, see {@link signatureKey}. */
  readonly indirect: ReadonlySet<string>;
  /** Those of the callees and types that are called in place of the function itself. */
  readonly tailCallees: ReadonlySet<string>;
  readonly tailIndirect: ReadonlySet<string>;
  readonly hasMark: boolean;
}

/** By {@link signatureKey}, each in order of definition. */
type FunctionsByType = ReadonlyMap<string, readonly FunctionInfo[]>;

/** Says whether an expression is a call of some kind. */
export type CallTest = (expr: Expr) => boolean;

export class CallGraph {
  readonly #nodes: ReadonlyMap<string, Node>;
  readonly #blocking: ReadonlySet<string>;
  /** Functions of which a reference can exist, in order of their definition. */
  readonly referable: readonly FunctionInfo[];
  readonly #referableByType: FunctionsByType;
  readonly #instrumented: ReadonlySet<string>;
  readonly #indirectCallees: FunctionsByType;

  constructor(module: IrModule) {
    const functions = module.functions();
    const referred = new Set(module.elements.functions());
    for (const expr of module.constantExpressions()) {
      walk(expr, (part) => {
        if (kindOf(part) === 'RefFunc') referred.add(referredFunction(part));
      });
    }
    const nodes = functions.map((info) => this.#makeNode(module, info, referred));
    if (module.takesFunctions()) {
      for (const entry of module.exports()) if (entry.kind === 'function') referred.add(entry.item);
    }
    this.#nodes = new Map(nodes.map((node) => [node.info.name, node]));
    this.#blocking = new Set(
      functions.filter(({ imported }) => imported && canBlock(imported.module, imported.base)).map(({ name }) => name),
    );
    this.referable = functions.filter(({ name }) => referred.has(name));
    this.#referableByType = groupByType(this.referable);
    for (const { name } of this.referable) if (this.#blocking.has(name)) refuse(blockingImportInTable(name));
    this.#instrumented = this.#findInstrumented();
    this.#indirectCallees = groupByType(this.referable.filter(({ name }) => this.#instrumented.has(name)));
  }

  /** Whether a frame of this function can be on the stack when a checkpoint is taken. */
  isInstrumented(name: string): boolean {
    return this.#instrumented.has(name);
  }

  /** What kind of call an expression of kind Call or CallIndirect is. */
  callKind(expr: Expr): CallKind {
    if (kindOf(expr) === 'Call') {
      const target = callTarget(expr);
      return this.#blocking.has(target) ? 'host' : this.#instrumented.has(target) ? 'frame' : 'plain';
    }
    const key = signatureKey(indirectParams(expr), indirectResults(expr));
    return this.indirectCallees(key).length > 0 ? 'frame' : 'plain';
  }

  /** Whether an expression is a stable point: a mark, or a call that leaves a frame which can be away. Tail calls leave none. */
  isPoint(expr: Expr): boolean {
    const kind = kindOf(expr);
    if ((kind !== 'Call' && kind !== 'CallIndirect') || isTailCall(expr)) return false;
    return readMark(expr) !== undefined || this.callKind(expr) !== 'plain';
  }

  /** Instrumented functions that an indirect call of this type may reach, in order of their definition. */
  indirectCallees(key: string): readonly FunctionInfo[] {
    return this.#indirectCallees.get(key) ?? [];
  }

  /** What a function calls in its own place: functions that can be stopped, and types through which there are such. */
  tailCalls(name: string): { readonly functions: readonly string[]; readonly types: readonly string[] } {
    const { tailCallees = [], tailIndirect = [] } = this.#nodes.get(name) ?? {};
    return {
      functions: [...tailCallees].filter((callee) => this.#instrumented.has(callee)),
      types: [...tailIndirect].filter((key) => this.indirectCallees(key).length > 0),
    };
  }

  /** These functions, and all that can run in their place by tail calls: each once, instrumented ones only. */
  withTailCallees(functions: readonly FunctionInfo[]): FunctionInfo[] {
    const found = new Set(functions);
    for (const { name } of found) {
      const { functions: direct, types } = this.tailCalls(name);
      for (const callee of direct) {
        const info = this.#nodes.get(callee)?.info;
        if (info !== undefined) found.add(info);
      }
      for (const key of types) for (const info of this.indirectCallees(key)) found.add(info);
    }
    return [...found];
  }

  /** The nodes of the graph that have code, in order of definition. */
  functions(): FunctionInfo[] {
    return [...this.#nodes.values()].map((node) => node.info).filter((info) => info.imported === undefined);
  }

  /**
   * What a node leads to, in a fixed order. Nodes are names of functions and types of indirect calls: a type stands
   * between all callers and all callees of that type, so that there are few edges.
   */
  successors(node: string): string[] {
    const fn = this.#nodes.get(node);
    if (fn !== undefined) return [...fn.callees, ...[...fn.indirect].map((key) => typeNode(key))];
    return (this.#referableByType.get(node.slice(typeNodePrefix.length)) ?? []).map(({ name }) => name);
  }

  #makeNode(module: IrModule, info: FunctionInfo, referred: Set<string>): Node {
    const callees = new Set<string>();
    const indirect = new Set<string>();
    const tailCallees = new Set<string>();
    const tailIndirect = new Set<string>();
    let hasMark = false;
    if (info.imported === undefined) {
      walk(module.body(info), (expr) => {
        switch (kindOf(expr)) {
          case 'Call':
            if (readMark(expr) !== undefined) hasMark = true;
            callees.add(callTarget(expr));
            if (isTailCall(expr)) tailCallees.add(callTarget(expr));
            break;
          case 'CallIndirect': {
            const key = signatureKey(indirectParams(expr), indirectResults(expr));
            indirect.add(key);
            if (isTailCall(expr)) tailIndirect.add(key);
            break;
          }
          case 'RefFunc':
            referred.add(referredFunction(expr));
            break;
          case 'TableFill':
            for (const name of functionsReferredTo(expr)) referred.add(name);
            break;
        }
      });
    }
    return { info, callees, indirect, tailCallees, tailIndirect, hasMark };
  }

  /** Tests whether one of these functions and imports may be called during a call. */
  reaching(names: readonly string[]): CallTest {
    const functions = this.#closeOverCallers(names);
    const referable = this.referable.filter(({ name }) => functions.has(name));
    const types = new Set(referable.map(({ params, results }) => signatureKey(params, results)));
    return (expr) => {
      const kind = kindOf(expr);
      if (kind === 'Call') return functions.has(callTarget(expr));
      return kind === 'CallIndirect' && types.has(signatureKey(indirectParams(expr), indirectResults(expr)));
    };
  }

  /** Grows from the functions with marks and the callers of blocking imports. */
  #findInstrumented(): ReadonlySet<string> {
    const callers = this.#callers();
    const marked = [...this.#nodes.values()].filter(({ hasMark }) => hasMark).map(({ info }) => info.name);
    const blocked = [...this.#blocking].flatMap((name) => callers.get(name) ?? []);
    return this.#closeOverCallers([...marked, ...blocked], callers);
  }

  /** The least set with these functions that is closed under "calls one of them". */
  #closeOverCallers(functions: readonly string[], callers = this.#callers()): ReadonlySet<string> {
    const found = new Set<string>();
    const pending = [...functions];
    for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
      if (found.has(name)) continue;
      found.add(name);
      pending.push(...(callers.get(name) ?? []));
    }
    return found;
  }

  /** By callee. */
  #callers(): ReadonlyMap<string, readonly string[]> {
    const callers = new Map<string, string[]>();
    const addCaller = (callee: string, caller: string): void => {
      const list = callers.get(callee);
      if (list === undefined) callers.set(callee, [caller]);
      else list.push(caller);
    };
    const callersByType = new Map<string, string[]>();
    for (const { info, callees, indirect } of this.#nodes.values()) {
      for (const callee of callees) addCaller(callee, info.name);
      for (const key of indirect) callersByType.set(key, [...(callersByType.get(key) ?? []), info.name]);
    }
    for (const [key, targets] of this.#referableByType) {
      for (const target of targets) for (const caller of callersByType.get(key) ?? []) addCaller(target.name, caller);
    }
    return callers;
  }
}

const typeNodePrefix = 'type ';
const typeNode = (key: string): string => typeNodePrefix + key;

/** Whether a node of the graph is a function (and not a type of indirect calls). */
export const isFunctionNode = (node: string): boolean => !node.startsWith(typeNodePrefix);

/** Identifies a function type. */
export function signatureKey(params: Type, results: Type): string {
  return `${params}>${results}`;
}

function groupByType(functions: readonly FunctionInfo[]): FunctionsByType {
  const groups = new Map<string, FunctionInfo[]>();
  for (const info of functions) {
    const key = signatureKey(info.params, info.results);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [info]);
    else group.push(info);
  }
  return groups;
}

/** The names of functions that an instruction refers to whose operands Binaryen's API does not show: it shows them as text. */
function functionsReferredTo(expr: Expr): string[] {
  const written = textOf(expr).matchAll(/\(ref\.func \$("(?:[^"\\]|\\.)*"|[^\s()]+)/g);
  return [...written].map(([, name = '']) => (name.startsWith('"') ? unquote(name) : name));
}

/** A name as text has it where there are other characters in it than identifiers have: bytes of UTF-8 are escaped. */
function unquote(name: string): string {
  const encoded = name.slice(1, -1).replace(/\\([0-9a-f]{2}|.)|[^\\]/gi, (character, escaped?: string) => {
    return escaped?.length === 2 ? `%${escaped}` : encodeURIComponent(escaped ?? character);
  });
  return decodeURIComponent(encoded);
}
