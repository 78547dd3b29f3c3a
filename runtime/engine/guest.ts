/**
 * One running program: an instance of a compiled module that can be stopped at any of its stable points, described as
 * a snapshot, and continued - here or elsewhere.
 *
 *     run ──> poll answered 0 ──> frames leave ──> mvvm.save ──> checkpointed ──> run: mvvm.load, frames re-enter ──> ...
 *      └────> the entry returns ──> the next call, or finished            └─> snapshot ──> restoreGuest, elsewhere ──┘
 *
 * Invariant: whatever could make saving impossible is tried *before* the frames leave. A refused checkpoint has
 * therefore touched nothing.
 */

import { exports as abiExports, imports as abiImports, IMPORT_MODULE } from '../abi/index.js';
import type { PageRun } from '../snapshot/index.js';
import { Abort } from './abort.js';
import { BudgetProbe } from './budget-probe.js';
import { functionExport, listResults, type WasmValue, zeroArguments } from './entry.js';
import { badState, EngineError, isStackOverflow, notSavable, stackTooSmall, wrongUse } from './errors.js';
import { Frames } from './frames.js';
import { HostCallDepth } from './linking.js';
import { makeSnapshot } from './make-snapshot.js';
import type { ModuleState } from './module-state.js';
import type { Call, Opening } from './opening.js';
import type { GuestStatistics, Outcome } from './outcome.js';
import type { PointProfiler } from './point-profiler.js';
import { LARGEST_GRANT, PollControl, type StopConditions } from './poll-control.js';
import type { Program } from './program.js';
import { foreignException, type References } from './references.js';
import { takeSuspectPages, tellsDirt } from './suspect-pages.js';
import type { System, SystemFactory, SystemHooks } from './system.js';
import { TierUp } from './tier-up.js';
import { WordStream } from './word-stream.js';

export interface GuestSetUp {
  readonly program: Program;
  /** When it goes on from a snapshot, {@link Guest.run} re-enters the first call instead of making it. */
  readonly opening: Opening;
  readonly system: SystemFactory;
  readonly imports: WebAssembly.Imports;
  readonly references: References;
  readonly profiler: PointProfiler | undefined;
  readonly onRefused: (reason: string) => void;
  readonly now: () => number;
  readonly tierUp: boolean;
}

type Phase = 'fresh' | 'stopped' | 'running' | 'over';

/** For a checkpoint: what was saved when the guest was told to leave. Frames, memories and globals follow when it has left. */
interface Prepared {
  readonly tables: readonly Int32Array[];
  readonly system: unknown;
  /** When this was, by the guest's clock. */
  readonly at: number;
}

export class Guest {
  readonly #program: Program;
  readonly #system: System;
  readonly #state: ModuleState;
  readonly #exports: WebAssembly.Exports;
  readonly #references: References;
  readonly #frames: Frames;
  readonly #control: PollControl;
  readonly #probe: BudgetProbe;
  readonly #stream = new WordStream();
  readonly #hostCalls = new HostCallDepth();
  readonly #abort = new Abort();
  readonly #onRefused: (reason: string) => void;
  readonly #now: () => number;
  readonly #tierUp: TierUp | undefined;
  readonly #pointsBefore: number;
  readonly #tellsDirt: boolean;
  #calls: readonly Call[];
  #phase: Phase;
  /** What the guest re-enters with; empty before its first checkpoint. */
  #words: Uint32Array;
  /** Why frames leave, from the moment the guest is told to until they have left. */
  #leaving: Prepared | 'to tier up' | undefined;
  #requested = false;
  #checkpoints = 0;
  #tierUps = 0;
  #milliseconds = 0;

  /** Instantiates the module; nothing of the guest runs. Use `startGuest` or `restoreGuest`. */
  constructor({ program, opening, system, imports, references, profiler, onRefused, now, tierUp }: GuestSetUp) {
    this.#program = program;
    this.#references = references;
    this.#onRefused = onRefused;
    this.#now = now;
    this.#tierUp = tierUp ? new TierUp(now) : undefined;
    this.#tellsDirt = tellsDirt(program, imports);
    this.#frames = new Frames(program.map);
    this.#control = new PollControl(program.map, { prepare: () => this.#prepare(), now, profiler });
    this.#control.stopOn({ requested: () => this.#requested });
    this.#probe = new BudgetProbe(program.map);
    const opened = opening({
      program,
      imports: [{ [IMPORT_MODULE]: this.#abiImports() }, this.#hostCalls.track(imports)],
      references,
      makeSystem: (saved) => system(this.#systemHooks(), saved),
    });
    this.#exports = opened.exports;
    this.#state = opened.state;
    this.#system = opened.system;
    this.#calls = opened.calls;
    this.#phase = opened.from === undefined ? 'fresh' : 'stopped';
    this.#words = opened.from?.words ?? new Uint32Array();
    this.#pointsBefore = opened.from?.stablePoints ?? 0;
  }

  /** What the instance exports: memories to look at, functions to call while the guest is stopped or calls its host. */
  get exports(): WebAssembly.Exports {
    return this.#exports;
  }

  get statistics(): GuestStatistics {
    return {
      stablePoints: this.#control.passed,
      checkpoints: this.#checkpoints,
      tierUps: this.#tierUps,
      milliseconds: this.#milliseconds,
    };
  }

  /**
   * Per memory the pages that can have changed since the last call of this: what a delta has to look at. Undefined where
   * nobody knows, and everything has to be compared: unless the policy is loop-dirty, and where the embedder's imports
   * can write to the memory. To be called while the guest is stopped; what the embedder itself wrote is not in it.
   */
  takeSuspectPages(): readonly (readonly PageRun[])[] | undefined {
    if (this.#phase !== 'stopped') throw new EngineError(wrongUse('only a stopped guest can tell what it changed'));
    const written = this.#system.takeWrittenPages?.();
    if (!this.#tellsDirt) return undefined;
    const [memory] = this.#state.memories;
    return takeSuspectPages(this.#exports, memory, written, this.#stream);
  }

  /**
   * Asks for a checkpoint at the next stable point that allows it; for host functions that the guest calls. Does nothing
   * when the guest is over.
   */
  requestCheckpoint(): void {
    if (this.#phase !== 'over') this.#requested = true;
  }

  /**
   * Runs the guest until it is finished, trapped or stopped by a condition. After `checkpointed` a further call goes on
   * from there in the same instance.
   *
   * @param conditions counted from here on; without them those of the last run that are not met yet stay, with their
   *   counts
   * @throws {EngineError} `wrong-use` when it is running or over; `stack-too-small` or `bad-state` when it could not be
   *   re-entered
   */
  run(conditions?: StopConditions): Outcome {
    if (this.#phase === 'running') throw new EngineError(wrongUse('the guest is running already'));
    if (this.#phase === 'over') throw new EngineError(wrongUse('the guest is over: it has finished or trapped'));
    const reenter = this.#phase === 'stopped';
    const before = this.#now();
    this.#phase = 'running';
    let outcome: Outcome | undefined;
    try {
      outcome = this.#runCalls(conditions, reenter);
      return outcome;
    } finally {
      this.#phase = outcome?.kind === 'checkpointed' ? 'stopped' : 'over';
      if (this.#phase === 'over') {
        this.#leaving = undefined;
        this.#control.stopOn({});
        // Where frames are still to come back, the guest would take what counts for the call that brings back the next.
        if (this.#stream.length === 0) this.#countRest();
        this.#system.close();
      }
      this.#milliseconds += this.#now() - before;
    }
  }

  /** Gives back what a guest holds that is not to be run again (open files). One that is over has done so itself. */
  close(): void {
    if (this.#phase === 'over') return;
    if (this.#phase === 'running') throw new EngineError(wrongUse('a running guest cannot be closed'));
    this.#phase = 'over';
    this.#system.close();
  }

  #runCalls(conditions: StopConditions | undefined, reenter: boolean): Outcome {
    this.#begin(conditions, reenter);
    let results: readonly WasmValue[] = [];
    for (let reentering = reenter; ; ) {
      const [call] = this.#calls;
      if (call === undefined) return { kind: 'finished', results, exitStatus: 0 };
      const args = reentering ? zeroArguments(call.entry) : call.args;
      reentering = false;
      let returned: unknown;
      try {
        returned = functionExport(this.#exports, call.entry.name)(...args);
      } catch (error) {
        return this.#ended(error);
      }
      if (this.#leaving !== undefined) {
        const outcome = this.#left(this.#leaving);
        if (outcome !== undefined) return outcome;
        reentering = true;
        this.#begin(undefined, true);
        continue;
      }
      if (this.#stream.length > 0) throw new EngineError(badState('the guest finished without re-entering all frames'));
      results = listResults(call.entry, returned);
      this.#calls = this.#calls.slice(1);
    }
  }

  /** Sets the first budget; for a guest that stopped also puts its words back, so that the next call re-enters. */
  #begin(conditions: StopConditions | undefined, reenter: boolean): void {
    if (conditions !== undefined) {
      const { requested } = conditions;
      // The embedder's own functions may ask as well.
      this.#control.stopOn({ ...conditions, requested: () => this.#requested || requested?.() === true });
    }
    const budget = this.#control.begin();
    this.#tierUp?.begin();
    this.#watchEntries();
    if (reenter) {
      this.#stream.put(this.#words);
      this.#words = new Uint32Array();
      this.#load(budget);
    } else {
      functionExport(this.#exports, abiExports.setBudget)(budget);
    }
  }

  #load(budget: number): void {
    try {
      functionExport(this.#exports, abiExports.load)(budget);
    } catch (thrown) {
      const reason = this.#abort.take();
      throw reason?.kind === 'error' ? reason.error : thrown;
    }
  }

  /** The frames did not return normally: an exit, a trap, or a stack that does not fit this host. */
  #ended(thrown: unknown): Outcome {
    const reason = this.#abort.take();
    if (reason?.kind === 'exit') return { kind: 'finished', results: [], exitStatus: reason.status };
    const error = reason === undefined ? thrown : reason.error;
    if (error instanceof EngineError) throw error;
    if (this.#stream.length > 0 && this.#leaving === undefined) {
      throw new EngineError(isStackOverflow(error) ? stackTooSmall() : badState(`it trapped on re-entering: ${error}`));
    }
    return { kind: 'trapped', error };
  }

  #poll(point: number, budget: number): number {
    if (this.#probe.asking) {
      this.#control.count(budget);
      this.#probe.stopHere();
    }
    // The embedder has called an export outside of any run: nobody would take what an unwinding call leaves behind.
    if (this.#phase !== 'running') return LARGEST_GRANT;
    const answer = this.#control.poll(point, budget);
    if (answer === 0 || this.#hostCalls.inside || this.#tierUp?.isDue() !== true) return answer;
    // Nobody counts the calls of such a function. What it has called would leave to it, not to {@link #runCalls}.
    if (this.#state.holdsForeignFunction) return answer;
    this.#references.leave('to come back');
    this.#leaving = 'to tier up';
    return 0;
  }

  #isAskedToStop(): boolean {
    return this.#phase === 'running' && this.#control.requested();
  }

  /** Counts the points passed since the last poll. */
  #countRest(): void {
    this.#probe.ask(this.#exports);
    this.#abort.take();
    this.#watchEntries();
  }

  #watchEntries(): void {
    functionExport(this.#exports, abiExports.watch)(this.#control.watches ? 1 : 0);
  }

  /** Tries everything that could make saving impossible. */
  #prepare(): 'ready' | 'refused' | 'later' {
    // A host function of the embedder's that called back cannot be left; neither can arguments not yet passed be kept.
    if (this.#hostCalls.inside || this.#calls.slice(1).some((call) => call.args.length > 0)) return 'later';
    try {
      this.#references.leave('to be saved');
      this.#leaving = { tables: this.#state.saveTables(), system: this.#system.save(), at: this.#now() };
      this.#requested = false;
      return 'ready';
    } catch (error) {
      this.#requested = false;
      this.#onRefused(error instanceof Error ? error.message : String(error));
      return 'refused';
    }
  }

  /** A frame cannot leave: those that have come back. Returns the budget to go on with. */
  #takeBack(point: number): number {
    if (this.#leaving !== 'to tier up') this.#onRefused(notSavable(this.#frames.holdsException(point)).message);
    this.#leaving = undefined;
    return this.#control.begin();
  }

  /** All frames have left. Undefined when they are to come back, if only because one holds what cannot be saved. */
  #left(leaving: Prepared | 'to tier up'): Outcome | undefined {
    this.#leaving = undefined;
    functionExport(this.#exports, abiExports.save)();
    this.#words = this.#stream.take();
    const point = this.#frames.clearDead(this.#words);
    if (leaving === 'to tier up') {
      this.#tierUps += 1;
      return undefined;
    }
    const held = this.#references.holdsSome ? this.#frames.findHeld(this.#words) : undefined;
    if (held !== undefined) {
      this.#onRefused(notSavable(held).message);
      return undefined;
    }
    this.#checkpoints += 1;
    const snapshot = makeSnapshot(this.#program, {
      calls: this.#calls,
      stablePoints: this.#pointsBefore + this.#control.passed,
      point,
      words: this.#words,
      memories: this.#state.viewMemories(),
      tables: leaving.tables,
      wasi: leaving.system,
    });
    return { kind: 'checkpointed', snapshot, milliseconds: this.#now() - leaving.at };
  }

  #systemHooks(): SystemHooks {
    return {
      requested: () => this.#isAskedToStop(),
      canLeave: () => this.#isAskedToStop() && this.#prepare() === 'ready',
      leave: () => {
        this.#countRest();
        functionExport(this.#exports, abiExports.interrupt)();
      },
      exit: (status) => this.#abort.throw({ kind: 'exit', status }),
    };
  }

  #abiImports(): WebAssembly.ModuleImports {
    return {
      [abiImports.poll]: this.#abort.guard((point: number, budget: number) => this.#poll(point, budget)),
      [abiImports.push]: this.#abort.guard((word: number) => {
        this.#stream.push(word);
        return undefined;
      }),
      [abiImports.pop]: this.#abort.guard(() => this.#stream.pop()),
      [abiImports.funcrefToWord]: this.#abort.guard((value: unknown) => this.#references.toWord(value)),
      [abiImports.externrefToWord]: this.#abort.guard((value: unknown) => this.#references.toWord(value)),
      [abiImports.wordToFuncref]: this.#abort.guard((word: number) => this.#references.toFuncref(word)),
      [abiImports.wordToExternref]: this.#abort.guard((word: number) => this.#references.toExternref(word)),
      [abiImports.foreignException]: this.#abort.guard(() => foreignException),
      [abiImports.stay]: this.#abort.guard((point: number) => this.#takeBack(point)),
    };
  }
}
