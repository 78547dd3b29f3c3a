/**
 * Turns a function's expression tree into linear code (see linear-code.ts).
 *
 * Only what contains a stable point is taken apart; everything else stays the expression it was. Two things happen
 * on the way:
 * - values that blocks, ifs, loops and branches carry go through locals instead
 * - an operand that is evaluated before a later operand with a stable point in it is kept in a local meanwhile:
 *
 *     (i32.add (i32.load (x)) (call $f))   becomes   t1 = (i32.load (x)); t2 = (call $f); (i32.add (t1) (t2))
 *
 * Establishes: the operands of a direct call that is a stable point can be evaluated with any values in locals, without
 * trap or effect, because resuming evaluates them again with dead locals zero.
 */

import type { PointKind } from '../../runtime/abi/index.js';
import type { Expr, Type } from '../ir/binaryen.js';
import type { CallGraph } from '../ir/call-graph.js';
import { bodyOfTry, clausesOf, delegateTarget, payloadOf, replacePop, tryName } from '../ir/exceptions.js';
import {
  carriedValue,
  childrenOf,
  clearCarriedValue,
  finalize,
  i32,
  isConcrete,
  isConditional,
  isTee,
  kindOf,
  labelOf,
  localIndex,
  none,
  setChild,
  setType,
  targetsOf,
  typeOf,
  unreachable,
  withoutRefinement,
} from '../ir/expressions.js';
import { generaliseLocals } from '../ir/general-locals.js';
import { LocalSet } from '../ir/local-set.js';
import { readMark } from '../ir/marks.js';
import { effects, type FunctionInfo, type IrModule } from '../ir/module.js';
import { some } from '../ir/walk.js';
import type { Busy } from './busy-code.js';
import {
  type ClauseRegion,
  type HeldException,
  isCallFree,
  type LinearFunction,
  type LoopItem,
  loopsIn,
  type Point,
  pointsIn,
  type Region,
} from './linear-code.js';
import { OperandLocals } from './operand-locals.js';

/** What is known about a function and the module around it. */
export interface LineariseContext {
  readonly module: IrModule;
  readonly graph: CallGraph;
  readonly busy: Busy;
  /** What a `catch_all` can have caught if it comes from the module itself. */
  readonly knownTags: readonly string[];
  /** Whether frames come back in this code, but perhaps for its hot loops. */
  readonly hasWaysBack: boolean;
  /** Loops that are known to have few iterations. */
  readonly fewIterations: ReadonlySet<Expr>;
}

export function linearise(info: FunctionInfo, context: LineariseContext): LinearFunction {
  return new Linearizer(info, context).run();
}

/** The type of a local that takes an expression's value. */
const typeInLocal = (expr: Expr): Type => withoutRefinement(typeOf(expr));

class Linearizer {
  readonly #module: IrModule;
  readonly #graph: CallGraph;
  readonly #info: FunctionInfo;
  readonly #busy: Busy;
  readonly #knownTags: readonly string[];
  /** Expressions with a stable point inside. */
  readonly #stopping = new Set<Expr>();
  /** For each block that had a value: the local that the value goes to. */
  readonly #resultLocals = new Map<string, number>();
  readonly #ordinals = new Map<PointKind, number>();
  readonly #hasWaysBack: boolean;
  readonly #fewIterations: ReadonlySet<Expr>;
  readonly #operandLocals = new OperandLocals((type) => this.#newLocal(type));
  #region: Region = [];
  #loop: LoopItem | undefined;
  #labels = 0;

  constructor(info: FunctionInfo, { module, graph, busy, knownTags, hasWaysBack, fewIterations }: LineariseContext) {
    this.#hasWaysBack = hasWaysBack;
    this.#fewIterations = fewIterations;
    this.#module = module;
    this.#busy = busy;
    this.#knownTags = knownTags;
    this.#graph = graph;
    this.#info = info;
  }

  run(): LinearFunction {
    const { make } = this.#module;
    const entry = this.#makePoint('entry', false);
    generaliseLocals(this.#module, this.#info);
    this.#findStopping(this.#module.body(this.#info));
    const body = this.#stripCarriedValues(this.#module.body(this.#info));
    if (isConcrete(typeOf(body))) this.#statement(this.#mark(make.return(body), body));
    else this.#statement(body);
    if (typeOf(body) === none) this.#push(make.return());
    else this.#push(make.unreachable());
    return { info: this.#info, isBusy: this.#busy.isFunction, body: this.#region, entry };
  }

  // --- Which expressions have to be taken apart ---

  #findStopping(expr: Expr): boolean {
    let found = this.#graph.isPoint(expr);
    for (const child of childrenOf(expr)) if (this.#findStopping(child)) found = true;
    if (found) this.#stopping.add(expr);
    return found;
  }

  /** Makes `expr`, which now stands for `original`, one with a stable point inside if that had one. */
  #mark(expr: Expr, original: Expr): Expr {
    if (this.#stopping.has(original)) this.#stopping.add(expr);
    return expr;
  }

  // --- Values of blocks, ifs, loops and branches ---

  /** Rewrites so that no label carries a value, and no if or loop with a stable point inside has one. */
  #stripCarriedValues(expr: Expr): Expr {
    const type = typeInLocal(expr);
    const label = kindOf(expr) === 'Block' ? labelOf(expr) : undefined;
    if (label !== undefined && isConcrete(type)) this.#resultLocals.set(label, this.#newLocal(type));

    for (const [index, child] of childrenOf(expr).entries()) {
      const replacement = this.#stripCarriedValues(child);
      if (replacement !== child) setChild(expr, index, replacement);
    }

    switch (kindOf(expr)) {
      case 'Break':
      case 'Switch':
        return this.#stripBranch(expr);
      case 'Block': {
        if (label === undefined || !isConcrete(type)) return expr;
        const children = childrenOf(expr);
        return this.#valueThroughLocal(expr, [children.length - 1], this.#resultLocals.get(label) ?? 0, type);
      }
      case 'If':
      case 'Loop': {
        if (!isConcrete(type) || !this.#stopping.has(expr)) return expr;
        const arms = kindOf(expr) === 'If' ? [1, 2] : [0];
        return this.#valueThroughLocal(expr, arms, this.#newLocal(type), type);
      }
      case 'Try':
        if (!isConcrete(type) || !this.#stopping.has(expr)) return expr;
        return this.#valueThroughLocal(expr, [...childrenOf(expr).keys()], this.#newLocal(type), type);
      default:
        return expr;
    }
  }

  /** `expr`, whose value is that of one of its children at `arms`, then a read of the local the value went to. */
  #valueThroughLocal(expr: Expr, arms: readonly number[], local: number, type: Type): Expr {
    const { make } = this.#module;
    const children = childrenOf(expr);
    for (const arm of arms) {
      const value = children[arm];
      if (value !== undefined && isConcrete(typeOf(value))) {
        setChild(expr, arm, this.#mark(make.set(local, value), value));
      }
    }
    setType(expr, none);
    return this.#mark(make.valueBlock(null, [expr, make.get(local, type)], type), expr);
  }

  #stripBranch(branch: Expr): Expr {
    const { make } = this.#module;
    const value = carriedValue(branch);
    if (value === undefined) return branch;
    const type = typeInLocal(value);
    const locals = targetsOf(branch).map((name) => this.#resultLocals.get(name) ?? this.#unknownLabel(name));
    const [first, ...others] = locals;
    if (first === undefined || !isConcrete(type)) return branch;

    clearCarriedValue(branch);
    finalize(branch);
    const copies = others.map((local) => make.set(local, make.get(first, type)));
    // br_if: where it does not branch, the value is that of the expression.
    const fallsThrough = kindOf(branch) === 'Break' && isConditional(branch);
    const sequence = (steps: readonly Expr[], rest: Expr): Expr =>
      this.#mark(
        make.valueBlock(
          null,
          [...steps, ...copies, branch, ...(fallsThrough ? [rest] : [])],
          fallsThrough ? type : unreachable,
        ),
        branch,
      );

    const [condition] = childrenOf(branch);
    if (condition === undefined || !some(condition, (expr) => kindOf(expr) === 'Break' || kindOf(expr) === 'Switch')) {
      return sequence([this.#mark(make.set(first, value), value)], make.get(first, type));
    }
    // The condition or index may branch to the same label and so overwrite the local.
    const held = this.#newLocal(type);
    const decision = this.#newLocal(typeOf(condition));
    setChild(branch, 0, make.get(decision, typeOf(condition)));
    const steps = [
      this.#mark(make.set(held, value), value),
      this.#mark(make.set(decision, condition), condition),
      make.set(first, make.get(held, type)),
    ];
    return sequence(steps, make.get(held, type));
  }

  #unknownLabel(name: string): never {
    throw new Error(`branch to "${name}", which is no block with a value, carries one (function ${this.#info.name})`);
  }

  // --- Taking expressions apart ---

  #push(expr: Expr): void {
    this.#region.push({ kind: 'statement', expr });
  }

  #statement(expr: Expr): void {
    if (this.#stopping.has(expr)) this.#operandLocals.during(() => this.#stoppingStatement(expr));
    else if (kindOf(expr) !== 'Nop') this.#push(expr);
  }

  #stoppingStatement(expr: Expr): void {
    switch (kindOf(expr)) {
      case 'Block': {
        for (const child of childrenOf(expr)) this.#statement(child);
        const label = labelOf(expr);
        if (label !== undefined) this.#region.push({ kind: 'label', name: label });
        return;
      }
      case 'If':
        this.#ifStatement(expr);
        return;
      case 'Loop':
        this.#loopStatement(expr);
        return;
      case 'Try':
        this.#tryStatement(expr);
        return;
      case 'Call':
      case 'CallIndirect':
        if (this.#graph.isPoint(expr)) {
          this.#pointCall(expr, undefined);
          return;
        }
        break;
      case 'LocalSet': {
        const [value] = childrenOf(expr);
        if (value !== undefined && this.#graph.isPoint(value) && !isTee(expr)) {
          this.#pointCall(value, localIndex(expr));
          return;
        }
        break;
      }
      case 'Drop': {
        const [value] = childrenOf(expr);
        if (value !== undefined && this.#graph.isPoint(value)) {
          this.#pointCall(value, undefined);
          return;
        }
        break;
      }
    }
    this.#push(this.#operands(expr));
  }

  #ifStatement(expr: Expr): void {
    const { make } = this.#module;
    const [condition, then, otherwise] = childrenOf(expr);
    if (condition === undefined || then === undefined) throw new Error('an if has a condition and an arm');
    const skip = this.#newLabel('if');
    this.#push(make.brIf(skip, make.eqz(this.#residual(condition))));
    this.#statement(then);
    if (otherwise === undefined) {
      this.#region.push({ kind: 'label', name: skip });
      return;
    }
    const end = this.#newLabel('if');
    if (typeOf(then) !== unreachable) this.#push(make.br(end));
    this.#region.push({ kind: 'label', name: skip });
    this.#statement(otherwise);
    this.#region.push({ kind: 'label', name: end });
  }

  #loopStatement(expr: Expr): void {
    const [body] = childrenOf(expr);
    const name = labelOf(expr);
    if (body === undefined) throw new Error('a loop has a body');
    if (name === undefined) {
      this.#statement(body);
      return;
    }
    const loop: LoopItem = {
      kind: 'loop',
      name,
      body: [],
      isBusy: this.#busy.expressions.has(expr),
      isHot: this.#busy.hotLoops.has(expr),
      hasFewIterations: this.#fewIterations.has(expr),
      live: new LocalSet(0),
      staleBefore: [],
      staleAtEnd: [],
    };
    this.#region.push(loop);
    const outer = { region: this.#region, loop: this.#loop };
    this.#region = loop.body;
    this.#loop = loop;
    this.#statement(body);
    this.#region = outer.region;
    this.#loop = outer.loop;
    loop.isBusy ||= isCallFree(loop) && loopsIn(loop.body).some((inner) => inner.isBusy);
  }

  #tryStatement(expr: Expr): void {
    const name = tryName(expr) ?? this.#newLabel('try');
    const caught = clausesOf(expr);
    const tags = new Set(caught.map(({ tag }) => tag));
    const body = this.#regionOf(bodyOfTry(expr));
    const clauses = caught.map((clause): ClauseRegion => {
      const { tag } = clause;
      const payload = tag === undefined ? undefined : this.#payloadLocal(tag);
      const code = payload === undefined ? clause.body : replacePop(this.#module, clause.body, payload);
      const region = this.#regionOf(this.#mark(code, clause.body));
      const stops = pointsIn(region).length > 0;
      return { tag, payload, body: region, held: stops ? this.#hold(tag, payload, tags) : undefined };
    });
    this.#region.push({ kind: 'try', name, body, clauses, delegate: delegateTarget(expr) });
  }

  /** What is kept of an exception while a frame is away in the clause that caught it. */
  #hold(tag: string | undefined, payload: number | undefined, caught: ReadonlySet<string | undefined>): HeldException {
    if (tag !== undefined) return { selector: undefined, tags: [{ tag, payload }] };
    const others = this.#knownTags.filter((known) => !caught.has(known));
    return {
      selector: others.length === 1 ? undefined : this.#newLocal(i32),
      tags: others.map((other) => ({ tag: other, payload: this.#payloadLocal(other) })),
    };
  }

  #payloadLocal(tag: string): number | undefined {
    const type = payloadOf(this.#module, tag);
    return type === none ? undefined : this.#newLocal(type);
  }

  #regionOf(expr: Expr): Region {
    const outer = { region: this.#region, loop: this.#loop };
    const region: Region = [];
    this.#region = region;
    this.#loop = undefined;
    this.#statement(expr);
    this.#region = outer.region;
    this.#loop = outer.loop;
    return region;
  }

  /** Emits a call that is a stable point: a mark's poll, or a call during which a checkpoint can be taken. */
  #pointCall(expr: Expr, result: number | undefined): void {
    const mark = readMark(expr);
    const isBusy = this.#busy.expressions.has(expr);
    if (mark === undefined) {
      const kind = this.#graph.callKind(expr) === 'host' ? 'host' : 'call';
      if (kindOf(expr) === 'CallIndirect') this.#operands(expr);
      else this.#repeatableOperands(expr);
      this.#region.push({ kind: 'call', call: expr, result, point: this.#makePoint(kind, isBusy) });
    } else if (mark.kind === 'loop' && this.#loop !== undefined && this.#loop.body.length === 0) {
      this.#loop.gate = mark.gate;
      this.#loop.point = this.#makePoint('loop', isBusy);
    } else {
      this.#region.push({ kind: 'poll', gate: mark.gate, point: this.#makePoint(mark.kind, isBusy) });
    }
  }

  /** Emits everything of `expr` up to its last stable point; returns an expression for its value. */
  #residual(expr: Expr): Expr {
    if (!this.#stopping.has(expr)) return expr;
    if (this.#graph.isPoint(expr)) {
      const type = typeInLocal(expr);
      const local = this.#newLocal(type);
      this.#pointCall(expr, local);
      return this.#module.make.get(local, type);
    }
    if (kindOf(expr) === 'Block' && labelOf(expr) === undefined) {
      const children = childrenOf(expr);
      const last = children.pop();
      for (const child of children) this.#statement(child);
      return last === undefined ? expr : this.#residual(last);
    }
    return this.#operands(expr);
  }

  /** Like {@link #residual}, of an expression whose own operation is not a stable point. */
  #operands(expr: Expr): Expr {
    const children = childrenOf(expr);
    const last = children.findLastIndex((child) => this.#stopping.has(child));
    return this.#evaluateUpTo(expr, children, last, false);
  }

  /** Like {@link #operands}, and leaves operands that can be evaluated again with any values in locals. */
  #repeatableOperands(expr: Expr): void {
    const children = childrenOf(expr);
    const last = children.findLastIndex((child) => this.#stopping.has(child) || !this.#isRepeatable(child));
    this.#evaluateUpTo(expr, children, last, true);
  }

  #evaluateUpTo(expr: Expr, children: readonly Expr[], last: number, repeatable: boolean): Expr {
    const { make } = this.#module;
    for (const [index, child] of children.slice(0, last + 1).entries()) {
      const value = this.#residual(child);
      const type = typeInLocal(value);
      if (!isConcrete(type)) {
        // Evaluation ends here; what would come after is never reached.
        this.#push(value);
        return make.unreachable();
      }
      const mayStay =
        index === last
          ? !repeatable || this.#isRepeatable(value)
          : this.#isFixed(value, children.slice(index + 1, last + 1));
      if (mayStay) {
        if (value !== child) setChild(expr, index, value);
        continue;
      }
      const local = this.#operandLocal(type, expr, children.slice(index + 1));
      this.#push(make.set(local, value));
      setChild(expr, index, make.get(local, type));
    }
    return expr;
  }

  /** A local for an operand of `expr`, while `later` ones are evaluated and until it is read. */
  #operandLocal(type: Type, expr: Expr, later: readonly Expr[]): number {
    const isHostCall = this.#graph.isPoint(expr) && this.#graph.callKind(expr) === 'host';
    const isSaved = isHostCall || later.some((operand) => this.#stopping.has(operand));
    const isHot = this.#loop?.isHot === true;
    // Where there is no way back, as in most hot loops, an optimiser can do without a local of one value that is not saved.
    if (!isSaved && (isHot || !this.#hasWaysBack)) return this.#newLocal(type);
    return this.#operandLocals.take(type, isSaved, isHot);
  }

  /** Whether a value is the same before and after `later` expressions are evaluated. */
  #isFixed(value: Expr, later: readonly Expr[]): boolean {
    if (kindOf(value) === 'Const' || kindOf(value) === 'RefNull' || kindOf(value) === 'RefFunc') return true;
    if (kindOf(value) !== 'LocalGet') return false;
    const index = localIndex(value);
    const sets = (expr: Expr): boolean => kindOf(expr) === 'LocalSet' && localIndex(expr) === index;
    return !later.some((expr) => some(expr, sets));
  }

  #isRepeatable(expr: Expr): boolean {
    return (this.#module.effectsOf(expr) & ~(effects.readsLocal | effects.readsGlobal)) === 0;
  }

  // --- Fresh things ---

  #newLocal(type: Type): number {
    return this.#module.addLocal(this.#info, type);
  }

  #newLabel(what: string): string {
    this.#labels += 1;
    return `mvvm.${what}.${this.#labels}`;
  }

  #makePoint(kind: PointKind, isBusy: boolean): Point {
    const ordinal = this.#ordinals.get(kind) ?? 0;
    this.#ordinals.set(kind, ordinal + 1);
    return { kind, ordinal, isBusy, index: -1, live: new LocalSet(0), stale: [] };
  }
}
