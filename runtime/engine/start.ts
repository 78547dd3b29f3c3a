/** The two ways to a running guest: from its beginning, and from a snapshot. */

import { exports as abiExports } from '../abi/index.js';
import type { Snapshot } from '../snapshot/index.js';
import { COMMAND_ENTRY, findEntry, makeArguments, REACTOR_SETUP, type WasmValue } from './entry.js';
import { Guest } from './guest.js';
import { type Opening, openFresh, openSnapshot, plainCall, type SnapshotReader } from './opening.js';
import type { PointProfiler } from './point-profiler.js';
import type { Program } from './program.js';
import { type HostReferences, noHostReferences, References } from './references.js';
import { noSystem, type SystemFactory } from './system.js';

export interface GuestOptions {
  /** The operating system interface; without one the module may import only what `imports` has. */
  readonly system?: SystemFactory;
  /** The embedder's own imports. Their functions may call the guest's exports; such inner calls cannot be stopped in. */
  readonly imports?: WebAssembly.Imports;
  /** What the guest may hold of the host's own objects and functions when it is stopped. Default: nothing. */
  readonly references?: HostReferences;
  /** Told why, when a checkpoint was asked for and could not be taken. The program goes on. */
  readonly onRefused?: (reason: string) => void;
  /** Counts how often each stable point is passed, which makes the guest slower. */
  readonly profiler?: PointProfiler;
  /** Milliseconds from any origin, for pacing polls and for statistics. Default `performance.now`. */
  readonly now?: () => number;
  /**
   * Whether frames that have been there for some time leave and come back by themselves, so that they continue in the code
   * that the engine has optimised meanwhile (see tier-up.ts). Nothing of it can be seen but the speed. Default true.
   */
  readonly tierUp?: boolean;
}

export interface StartOptions extends GuestOptions {
  /** The export to call. Default `_start`. */
  readonly entry?: string;
  /** Its arguments: values, or texts as from a command line. Default none. */
  readonly entryArguments?: readonly (WasmValue | string)[];
}

/**
 * Makes a guest that will begin at its entry. The start function (if the module had a start section) and a reactor's
 * `_initialize` run first, within the first {@link Guest.run}.
 *
 * @example
 * // A command, stopped at the thousandth stable point.
 * const guest = startGuest(program, { system: wasiSystem({ args: ['bc', '-g10'] }) });
 * const outcome = guest.run({ atPoint: 1000 });
 *
 * @example
 * // Any export, with the embedder's own imports, stopped when a flag is set.
 * const imports = { env: { report: (n: number) => console.log(n) } };
 * const guest = startGuest(program, { imports, entry: 'solve', entryArguments: [9, 10n] });
 * const outcome = guest.run({ requested: () => Atomics.load(flag, 0) === 1 });
 * if (outcome.kind === 'finished') console.log(outcome.results);
 *
 * @throws {EngineError} `unknown-import`, `no-such-function`, `unsupported-entry` or `wrong-arguments`
 */
export function startGuest(program: Program, options: StartOptions = {}): Guest {
  const { entry: name = COMMAND_ENTRY, entryArguments = [] } = options;
  const entry = findEntry(program.map.exports, program.module, name);
  const args = makeArguments(entry, entryArguments);
  const setUp = name === COMMAND_ENTRY ? [abiExports.start] : [abiExports.start, REACTOR_SETUP];
  const calls = [
    ...setUp.filter((before) => before !== name && hasFunction(program, before)).map(plainCall),
    { entry, args },
  ];
  return makeGuest(program, options, openFresh(calls));
}

/**
 * Makes a guest that will go on where the snapshot stopped. Everything is checked before anything is opened; nothing of
 * the guest runs before {@link Guest.run}.
 *
 * @param from a snapshot, whose memories are copied; or what reads one, straight into the guest's own memories
 *
 * @example
 * const guest = restoreGuest(program, (into) => decodeSnapshot(bytes, into), { system: wasiSystem({ preopens, stdio }) });
 * const outcome = guest.run();
 *
 * @throws {SnapshotError} `snapshot/other-module`, `snapshot/state`, `snapshot/frames` when it does not fit the program,
 *   and whatever the reader throws
 * @throws {EngineError} `memory-limit`, `bad-state` or `unknown-import`
 */
export function restoreGuest(program: Program, from: Snapshot | SnapshotReader, options: GuestOptions = {}): Guest {
  return makeGuest(program, options, openSnapshot(from));
}

function hasFunction(program: Program, name: string): boolean {
  return WebAssembly.Module.exports(program.module).some((entry) => entry.kind === 'function' && entry.name === name);
}

function makeGuest(program: Program, options: GuestOptions, opening: Opening): Guest {
  const {
    system = noSystem,
    imports = {},
    profiler,
    references = noHostReferences,
    onRefused = () => undefined,
    now = () => performance.now(),
    tierUp = true,
  } = options;
  return new Guest({
    program,
    opening,
    system,
    imports,
    references: new References(references),
    profiler,
    onRefused,
    now,
    tierUp,
  });
}
