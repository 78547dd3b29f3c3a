/**
 * What the engine needs of the operating system interface that a guest runs on. WASI is one (wasi-system.ts); an
 * embedder whose imports have state of their own can give another.
 */

import type { PageRun } from '../snapshot/index.js';

/** The engine's side, handed to a {@link System} when it is made. */
export interface SystemHooks {
  /** Whether a checkpoint is asked for. A call that would block looks at this while it waits. */
  requested(): boolean;
  /**
   * Whether a call that would block can be left unfinished now for that checkpoint. After true the call must have no
   * effect and end with {@link leave}. False also answers the request, when it has to be refused.
   */
  canLeave(): boolean;
  /** Makes the guest leave as soon as the present host call returns; the call is made again when it continues. */
  leave(): void;
  /** Ends the program with this status, in a way that it cannot catch. */
  exit(status: number): never;
}

/** Imports together with the state behind them. */
export interface System {
  /** Their functions call none of the guest's exports: frames of such a call would leave to them, not to the engine. */
  readonly imports: WebAssembly.Imports;
  /** The instance's first memory, before anything of the guest runs. */
  attach(memory: WebAssembly.Memory): void;
  /**
   * The state as plain JSON data.
   * @throws when something cannot be saved; the error's message says what
   */
  save(): unknown;
  /**
   * The pages of the attached memory that it wrote to since the last call. A system without this may have written
   * anywhere.
   */
  takeWrittenPages?(): readonly PageRun[];
  /** Gives back what it holds (open files). */
  close(): void;
}

/** Makes the system of one guest: a fresh one, or from the state that {@link System.save} gave. */
export type SystemFactory = (hooks: SystemHooks, saved: { readonly state: unknown } | undefined) => System;

/** For modules that import nothing but from their embedder. */
export const noSystem: SystemFactory = () => ({
  imports: {},
  attach: () => undefined,
  save: () => null,
  takeWrittenPages: () => [],
  close: () => undefined,
});
