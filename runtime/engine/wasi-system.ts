/** WASI as the system of a guest: the options with their defaults, and the waiting that a checkpoint may end. */

import * as z from 'zod';
import { endingWasiCalls } from '../abi/index.js';
import { WrittenPages } from '../snapshot/index.js';
import {
  type Clock,
  createWasi,
  inputOf,
  outputTo,
  type Preopen,
  ProcExit,
  type RandomSource,
  restoreWasi,
  type Stdio,
  systemClock,
  systemRandom,
  tablesOnDemand,
  type WaitOutcome,
  type WaitRequest,
  type Wasi,
  type WasiOptions,
  type WasiState,
  wasiStateSchema,
} from '../wasi/index.js';
import { badState, EngineError } from './errors.js';
import { inputAfter, type LookingInputStream } from './input-taken.js';
import type { SystemFactory, SystemHooks } from './system.js';

export interface WasiSetUp {
  /** Arguments, the program's name first. A restored guest keeps its own unless they are given. */
  readonly args?: readonly string[];
  /** Environment, each as `KEY=value`. A restored guest keeps its own, in which these are set. */
  readonly env?: readonly string[];
  /** Directories that the guest may use. Default none. */
  readonly preopens?: readonly Preopen[];
  /** Default: no input, and output goes nowhere. */
  readonly stdio?: Stdio & { readonly stdin: LookingInputStream };
  /** The network that the guest may use, and the addresses in it. Default none. */
  readonly network?: NonNullable<WasiOptions['network']>;
  /** What becomes of connections on restore. Without a choice a snapshot that has one is refused. */
  readonly connections?: 'reconnect' | 'fail';
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: the system's. */
  readonly random?: RandomSource;
  /**
   * Blocks this thread until one of the reasons to go on, or until a checkpoint is asked for (`interrupted`). Default:
   * sleeps, and looks for requests a hundred times a second.
   */
  readonly wait?: (request: WaitRequest) => WaitOutcome;
}

/**
 * WASI preview1 for `startGuest` and `restoreGuest`.
 *
 * @example
 * const guest = startGuest(program, {
 *   system: wasiSystem({ args: ['bc', '-g10'], stdio: { stdin: inputOf(bytes), stdout: outputTo(show), stderr: outputTo(show) } }),
 * });
 */
export function wasiSystem(setUp: WasiSetUp = {}): SystemFactory {
  return (hooks, saved) => {
    const {
      args,
      env,
      preopens = [],
      stdio: given = silence(),
      clock = systemClock(),
      random = systemRandom(),
    } = setUp;
    const hostWait = setUp.wait ?? ((request) => sleep(request, hooks));
    const before = saved === undefined ? undefined : parseSaved(uncheckedSchema, saved.state);
    const stdin = inputAfter(Uint8Array.from(before?.inputTaken ?? []), given.stdin);
    const stdio = { ...given, stdin };
    const written = new WrittenPages();
    const lent = {
      preopens,
      stdio,
      clock,
      random,
      ...(setUp.network === undefined ? {} : { network: setUp.network }),
      wait: (request: WaitRequest): WaitOutcome => {
        const outcome = hostWait(request);
        if (outcome !== 'interrupted' || (request.mustEnd !== true && hooks.canLeave())) return outcome;
        // The checkpoint is refused, or has to wait until a host function that called back has returned. What was waited
        // for is looked at again, but not without a rest: the request may stay.
        pause(restOf(request));
        return 'ready';
      },
      interrupt: () => hooks.leave(),
      onMemoryWrite: (address: number, length: number): void => written.mark(address, length),
    };
    const wasi =
      before === undefined
        ? createWasi({ ...lent, args: args ?? [], env: env ?? [] })
        : restoreWasi(before.wasi, {
            ...lent,
            ...(args === undefined ? {} : { args }),
            ...(setUp.connections === undefined ? {} : { connections: setUp.connections }),
            env: (kept) => overrideEnvironment(kept, env ?? []),
          });
    return {
      imports: withUncatchableExit(wasi, hooks),
      attach: (memory) => wasi.attach(memory),
      save: (): SavedSystem => ({ wasi: wasi.save(), inputTaken: [...stdin.taken()] }),
      takeWrittenPages: () => written.take(),
      close: () => wasi.close(),
    };
  };
}

/** What a snapshot holds under `wasi`. */
export interface SavedSystem {
  readonly wasi: WasiState;
  /** Bytes of standard input that were taken from it and that the guest is yet to read. */
  readonly inputTaken: readonly number[];
}

const inputTaken = z.array(z.number().int().min(0).max(255));
const savedSystemSchema: z.ZodType<SavedSystem> = z.strictObject({ wasi: wasiStateSchema, inputTaken });
/** Where `restoreWasi` checks the rest: restores are to be fast. */
const uncheckedSchema = z.strictObject({ wasi: z.unknown(), inputTaken });

/**
 * The state that {@link wasiSystem} saves, checked.
 * @throws {EngineError} `bad-state`
 */
export function readSavedSystem(state: unknown): SavedSystem {
  return parseSaved(savedSystemSchema, state);
}

function parseSaved<T>(schema: z.ZodType<T>, state: unknown): T {
  const checked = schema.safeParse(state);
  if (checked.success) return checked.data;
  throw new EngineError(badState('its WASI state is damaged, or its host had none'));
}

/** Later entries replace earlier ones of the same name. */
function overrideEnvironment(saved: readonly string[], set: readonly string[]): string[] {
  const nameOf = (entry: string): string => entry.slice(0, entry.indexOf('='));
  const replaced = new Set(set.map(nameOf));
  return [...saved.filter((entry) => !replaced.has(nameOf(entry))), ...set];
}

/** The calls that may end the program, ending it so that no `catch (...)` of its own keeps it alive. */
function withUncatchableExit(wasi: Wasi, hooks: SystemHooks): WebAssembly.Imports {
  return tablesOnDemand((dialect) => {
    const calls = wasi.imports[dialect];
    const wrapped: Record<string, WebAssembly.ExportValue> = { ...calls };
    for (const name of endingWasiCalls) {
      const call = calls[name];
      if (typeof call !== 'function') continue;
      wrapped[name] = (...args: readonly unknown[]): unknown => {
        try {
          return Reflect.apply(call, undefined, args);
        } catch (error) {
          if (error instanceof ProcExit) return hooks.exit(error.status);
          throw error;
        }
      };
    }
    return wrapped;
  });
}

function silence(): Stdio {
  const nowhere = outputTo(() => undefined);
  return { stdin: inputOf(new Uint8Array()), stdout: nowhere, stderr: nowhere };
}

const SLICE_MS = 10;

/** Sleeps in slices. Where a thread may not block (a page's main thread) it waits by looking at the clock. */
function sleep({ timeout }: WaitRequest, hooks: SystemHooks): WaitOutcome {
  const until = timeout === undefined ? Infinity : performance.now() + Number(timeout) / 1e6;
  for (;;) {
    if (hooks.requested()) return 'interrupted';
    const left = until - performance.now();
    if (left <= 0) return 'timeout';
    pause(Math.min(left, SLICE_MS));
  }
}

/** Milliseconds, no more than a slice. */
function restOf({ timeout }: WaitRequest): number {
  return timeout === undefined ? SLICE_MS : Math.min(SLICE_MS, Number(timeout) / 1e6);
}

function pause(milliseconds: number): void {
  try {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
  } catch {
    const until = performance.now() + milliseconds;
    while (performance.now() < until);
  }
}
