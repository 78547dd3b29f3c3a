/** What a compile does one after the other, and how long each part took. */

import type { IrModule, PassEvents } from '../passes/index.js';

/** What a caller may watch while a module is compiled. */
export interface CompileEvents {
  /** A stage of the driver begins. */
  onStage?(name: string): void;
  /** A stage or a pass that changes the module has ended; `text` gives the module as it is now, while it is called. */
  onPass?(name: string, milliseconds: number, text: () => string): void;
}

export interface Timing {
  /** A stage of the driver or a pass. */
  readonly name: string;
  readonly milliseconds: number;
}

/** The driver's own stages that change the module, in order; the passes of `instrument` run between them. */
export const moduleStages = ['optimise', 'cleanup'] as const;

export class Stages implements PassEvents {
  readonly #events: CompileEvents;
  readonly #verifyEach: boolean;
  readonly #timings: Timing[] = [];

  /** @param verifyEach whether to validate the module after every pass */
  constructor(events: CompileEvents, verifyEach: boolean) {
    this.#events = events;
    this.#verifyEach = verifyEach;
  }

  /** In the order of their ends. */
  get timings(): readonly Timing[] {
    return this.#timings;
  }

  begin(name: string): void {
    this.#events.onStage?.(name);
  }

  time<T>(name: string, work: () => T): T {
    this.begin(name);
    const start = performance.now();
    const result = work();
    this.#note(name, performance.now() - start);
    return result;
  }

  /** Times a stage that changes this module. */
  timeOn(module: IrModule, name: string, work: () => void): void {
    this.begin(name);
    const start = performance.now();
    work();
    this.onPass(name, performance.now() - start, module);
  }

  onPass(name: string, milliseconds: number, module: IrModule): void {
    this.#note(name, milliseconds);
    this.#events.onPass?.(name, milliseconds, () => module.emitText());
    // After the event, so that what is broken can be looked at.
    if (this.#verifyEach) module.validate(name);
  }

  #note(name: string, milliseconds: number): void {
    this.#timings.push({ name, milliseconds: roundToMicroseconds(milliseconds) });
  }
}

/** Clocks tell no more, and reports are easier to read. */
export function roundToMicroseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
