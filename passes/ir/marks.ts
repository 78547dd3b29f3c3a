/**
 * Marks: how placement passes say where stable points are to be. A mark is a call, without operands or result, to an
 * imported function whose name tells the point's kind and gate, so that a reader sees it in wat:
 *
 *     (loop $L
 *       (call $mvvm.point.loop.counted)
 *       ...
 *
 * Lowering replaces every mark; none is left in the output.
 */

import type { PointKind } from '../../runtime/abi/index.js';
import type { Expr } from './binaryen.js';
import { callTarget, childrenOf, kindOf, none } from './expressions.js';
import type { IrModule } from './module.js';

/**
 * How a point decides whether to fire:
 * - `budget`: each passing takes one off the budget that the host granted; it fires when none is left
 * - `counted`: one passing in `2 ** thresholdBits` fires
 * - `dirty`: like budget, but it does not fire while no store has changed anything since the last checkpoint
 */
export type Gate = 'budget' | 'counted' | 'dirty';

export interface Mark {
  readonly kind: PointKind;
  readonly gate: Gate;
}

const prefix = 'mvvm.point.';

export function markName(mark: Mark): string {
  return `${prefix}${mark.kind}${mark.gate === 'budget' ? '' : `.${mark.gate}`}`;
}

const marksByName: ReadonlyMap<string, Mark> = new Map(
  (['entry', 'loop', 'host', 'branch', 'instruction'] as const)
    .flatMap((kind) => (['budget', 'counted', 'dirty'] as const).map((gate): Mark => ({ kind, gate })))
    .map((mark) => [markName(mark), mark]),
);

/** The mark that this expression is, if it is one. */
export function readMark(expr: Expr): Mark | undefined {
  return kindOf(expr) === 'Call' ? marksByName.get(callTarget(expr)) : undefined;
}

/** Makes marks of one module, importing each kind when it is first needed. */
export class Marker {
  readonly #module: IrModule;
  readonly #imported: Set<string>;

  constructor(module: IrModule) {
    this.#module = module;
    this.#imported = new Set(importedMarks(module));
  }

  make(mark: Mark): Expr {
    const name = markName(mark);
    if (!this.#imported.has(name)) {
      this.#imported.add(name);
      this.#module.addFunctionImport(name, { module: 'mvvm', base: name.slice('mvvm.'.length) }, none, none);
    }
    return this.#module.make.call(name, []);
  }
}

/** Names of the mark imports in a module. */
export function importedMarks(module: IrModule): string[] {
  return module
    .functions()
    .map((fn) => fn.name)
    .filter((name) => marksByName.has(name));
}

/** Whether a module has marks of a gate. */
export function usesGate(module: IrModule, gate: Gate): boolean {
  return [...marksByName].some(([name, mark]) => mark.gate === gate && module.isImported(name));
}

/** The mark at the head of a loop or function body: its first expression, looking into unnamed leading blocks. */
export function headMark(body: Expr): Mark | undefined {
  const mark = readMark(body);
  if (mark !== undefined || kindOf(body) !== 'Block') return mark;
  const [first] = childrenOf(body);
  return first === undefined ? undefined : headMark(first);
}
