/**
 * Which locals are live: backward over expression trees.
 *
 * Equations, for an expression with `out` live after it: LocalGet adds its local; LocalSet removes it; a branch takes
 * what is live at its labels (plus `out` if it may fall through); the label of a block has what is live after the block,
 * that of a loop what is live at the loop's head. Heads of loops grow from nothing until no head changes: they are kept
 * between rounds, so a round visits each expression once, and there are at most (number of locals) x (loops) rounds; in
 * practice nesting depth + 1.
 *
 * A call or throw in the body of a try also needs what is live where the try's clauses begin.
 *
 * It does not look at memory or globals, and takes a try without points for one step that reads every local it mentions.
 */

import type { Expr } from './binaryen.js';
import { exitsOf } from './exits.js';
import {
  childrenOf,
  hiddenLocals,
  isConditional,
  isOpaque,
  isTailCall,
  kindOf,
  labelOf,
  localIndex,
  targetsOf,
} from './expressions.js';
import { LocalSet } from './local-set.js';
import { walk } from './walk.js';

export class Liveness {
  readonly #localCount: number;
  /** What is live where a branch to this label goes. */
  readonly #atLabel = new Map<string, LocalSet>();
  /** What is live where exceptions go that are thrown here. */
  #handlers: LocalSet;
  #grew = false;
  readonly #hidden = new Map<Expr, readonly number[]>();
  /** Loops that are asked for, and the labels outside that they branch to. */
  readonly #exits: ReadonlyMap<Expr, readonly string[]>;
  readonly #behind = new Map<Expr, LocalSet>();

  /** @param loops to be found what is live behind: see {@link findLiveBehind} */
  constructor(localCount: number, loops: readonly Expr[] = []) {
    this.#localCount = localCount;
    this.#exits = new Map(loops.map((loop) => [loop, exitsOf(loop).flatMap(({ targets }) => targets)]));
    this.#handlers = this.none();
  }

  /**
   * What is live where control goes from loops of a function's body that call and throw nothing; of none in a `try`, which is
   * one step here.
   */
  static findLiveBehind(body: Expr, localCount: number, loops: readonly Expr[]): ReadonlyMap<Expr, LocalSet> {
    const liveness = new Liveness(localCount, loops);
    liveness.solve(() => liveness.before(body, liveness.none()));
    return liveness.#behind;
  }

  /** Visits the body of a try, with `handled` live where its clauses begin. What they let pass goes on to outer ones. */
  inTry(handled: LocalSet, visit: () => void): void {
    const outer = this.#handlers;
    this.#handlers = outer.clone();
    this.#handlers.addAll(handled);
    visit();
    this.#handlers = outer;
  }

  /** Adds what is live where an exception goes: for whatever may throw one. */
  throwing(live: LocalSet): void {
    live.addAll(this.#handlers);
  }

  /** Repeats `round`, a backward pass over the whole function, until no loop head grows any more. */
  solve(round: () => void): void {
    do {
      this.#grew = false;
      round();
    } while (this.#grew);
  }

  none(): LocalSet {
    return new LocalSet(this.#localCount);
  }

  /** The end of a block: branches to its label see `live`. */
  atBlockEnd(label: string, live: LocalSet): void {
    this.#atLabel.set(label, live.clone());
  }

  /** The head of a loop, whose body has been visited and left `live`: branches to its label see at least that. */
  atLoopHead(label: string, live: LocalSet): void {
    const head = this.#atLabel.get(label);
    if (head === undefined) {
      this.#atLabel.set(label, live.clone());
      this.#grew = true;
    } else if (head.addAll(live)) this.#grew = true;
  }

  /** Changes `live` from what is live after `expr` to what is live before it. */
  before(expr: Expr, live: LocalSet): void {
    switch (kindOf(expr)) {
      case 'LocalGet':
        live.add(localIndex(expr));
        return;
      case 'LocalSet':
        live.delete(localIndex(expr));
        this.#childrenBefore(expr, live);
        return;
      case 'Block': {
        const label = labelOf(expr);
        if (label !== undefined) this.atBlockEnd(label, live);
        this.#childrenBefore(expr, live);
        return;
      }
      case 'If': {
        const [condition, then, otherwise] = childrenOf(expr);
        const skipped = live.clone();
        if (then !== undefined) this.before(then, live);
        if (otherwise !== undefined) this.before(otherwise, skipped);
        live.addAll(skipped);
        if (condition !== undefined) this.before(condition, live);
        return;
      }
      case 'Loop': {
        const label = labelOf(expr);
        this.#noteBehind(expr, live);
        this.#childrenBefore(expr, live);
        if (label !== undefined) {
          this.atLoopHead(label, live);
          live.addAll(this.#branchingTo(label));
        }
        return;
      }
      case 'Break':
        if (isConditional(expr)) for (const target of targetsOf(expr)) live.addAll(this.#branchingTo(target));
        else this.#onlyTargets(expr, live);
        this.#childrenBefore(expr, live);
        return;
      case 'Switch':
        this.#onlyTargets(expr, live);
        this.#childrenBefore(expr, live);
        return;
      case 'Return':
      case 'Unreachable':
        live.clear();
        this.#childrenBefore(expr, live);
        return;
      case 'Throw':
      case 'Rethrow':
        live.clear();
        this.throwing(live);
        this.#childrenBefore(expr, live);
        return;
      case 'Try':
        this.throwing(live);
        walk(expr, (inner) => {
          const kind = kindOf(inner);
          if (kind === 'LocalGet') live.add(localIndex(inner));
          if (isOpaque(inner)) this.#addHidden(inner, live);
          if (kind === 'Break' || kind === 'Switch') {
            for (const target of targetsOf(inner)) live.addAll(this.#branchingTo(target));
          }
        });
        return;
      case 'Call':
      case 'CallIndirect':
        if (isTailCall(expr)) live.clear();
        else this.throwing(live);
        this.#childrenBefore(expr, live);
        return;
      default:
        if (isOpaque(expr)) this.#addHidden(expr, live);
        this.#childrenBefore(expr, live);
    }
  }

  #childrenBefore(expr: Expr, live: LocalSet): void {
    for (const child of childrenOf(expr).reverse()) this.before(child, live);
  }

  #addHidden(expr: Expr, live: LocalSet): void {
    const known = this.#hidden.get(expr) ?? hiddenLocals(expr, this.#localCount);
    this.#hidden.set(expr, known);
    for (const local of known) live.add(local);
  }

  #onlyTargets(expr: Expr, live: LocalSet): void {
    live.clear();
    for (const target of targetsOf(expr)) live.addAll(this.#branchingTo(target));
  }

  #noteBehind(loop: Expr, behind: LocalSet): void {
    const exits = this.#exits.get(loop);
    if (exits === undefined) return;
    const live = behind.clone();
    for (const target of exits) live.addAll(this.#branchingTo(target));
    this.#behind.set(loop, live);
  }

  #branchingTo(label: string): LocalSet {
    return this.#atLabel.get(label) ?? this.none();
  }
}
