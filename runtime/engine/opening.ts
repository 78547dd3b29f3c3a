/**
 * How a guest comes by its instance.
 *
 *     fresh:     system -> instance
 *     snapshot:  read and verified, the memories straight into an instance whose imports lead nowhere yet
 *                -> checked against the module -> tables -> system -> the imports lead to it
 *
 * Nothing of a compiled module runs before its first call, because it has no start section: an instance alone does no
 * more than take the memory that it would take anyway. The system, which opens files, is made when everything else about
 * the snapshot has been found right.
 */

import { exports as abiExports, type ExportInfo } from '../abi/index.js';
import {
  type Snapshot,
  type SnapshotHeader,
  type TargetMemory,
  validateHeader,
  validateSnapshot,
} from '../snapshot/index.js';
import { findEntry, type WasmValue, zeroArguments } from './entry.js';
import { linkImports, linkLate } from './linking.js';
import { ModuleState } from './module-state.js';
import type { Program } from './program.js';
import type { References } from './references.js';
import type { System } from './system.js';

/** One call of an export, with its types. */
export interface Call {
  readonly entry: ExportInfo;
  readonly args: readonly WasmValue[];
}

/** A call without arguments of an export that need not be in the stable map. */
export function plainCall(name: string): Call {
  return { entry: { name, signature: { params: [], results: [] }, function: -1 }, args: [] };
}

/** What a guest has to offer before it has an instance. */
export interface Surroundings {
  readonly program: Program;
  /** The contract's own functions, and the embedder's. */
  readonly imports: readonly WebAssembly.Imports[];
  readonly references: References;
  readonly makeSystem: (saved: { readonly state: unknown } | undefined) => System;
}

export interface Opened {
  readonly exports: WebAssembly.Exports;
  readonly state: ModuleState;
  readonly system: System;
  readonly calls: readonly Call[];
  /** What it goes on from. */
  readonly from: Pick<Snapshot, 'words' | 'stablePoints'> | undefined;
}

export type Opening = (surroundings: Surroundings) => Opened;

/** Where a snapshot is to be read to; options of `decodeSnapshot` and of whatever is built on it. */
export interface ReadInto {
  /** Refuses what cannot fit before anything large is read. */
  readonly accept: (header: SnapshotHeader) => void;
  /** The guest's own memory, as large as asked for. */
  readonly memory: TargetMemory;
}

/** Reads a snapshot, verified: `(into) => decodeSnapshot(bytes, into)`. */
export type SnapshotReader = (into: ReadInto) => Snapshot;

/** A guest that will make these calls, one after the other. */
export function openFresh(calls: readonly Call[]): Opening {
  return ({ program, imports, references, makeSystem }) => {
    const system = makeSystem(undefined);
    return closeOnError(system, () => {
      const linked = linkImports(program.module, [...imports, system.imports]);
      const { exports, state } = instantiate(program, linked, references);
      attach(system, state);
      return { exports, state, system, calls, from: undefined };
    });
  };
}

/** A guest that will go on from a snapshot. */
export function openSnapshot(from: Snapshot | SnapshotReader): Opening {
  return ({ program, imports, references, makeSystem }) => {
    const late = linkLate(program.module, imports);
    let made: Pick<Opened, 'exports' | 'state'> | undefined;
    const instance = (): Pick<Opened, 'exports' | 'state'> => {
      made ??= instantiate(program, late.imports, references);
      return made;
    };
    const snapshot = typeof from === 'function' ? from(intoInstance(program, instance)) : from;
    validateSnapshot(snapshot, program);
    const calls = [snapshot.entry, ...snapshot.following].map((name) => callAgain(program, name));

    const { exports, state } = instance();
    state.restoreMemories(snapshot.memories);
    state.restoreTables(snapshot.tables);
    const system = makeSystem({ state: snapshot.wasi });
    return closeOnError(system, () => {
      late.bind(system.imports);
      attach(system, state);
      return { exports, state, system, calls, from: snapshot };
    });
  };
}

function intoInstance(program: Program, instance: () => Pick<Opened, 'state'>): ReadInto {
  return {
    accept: (header) => validateHeader(header, program),
    memory: (index, pages) => instance().state.sizeMemory(index, pages),
  };
}

function instantiate(
  program: Program,
  linked: WebAssembly.Imports,
  references: References,
): Pick<Opened, 'exports' | 'state'> {
  const { exports } = new WebAssembly.Instance(program.module, linked);
  return { exports, state: new ModuleState(program.map, exports, references) };
}

function callAgain(program: Program, name: string): Call {
  if (name === abiExports.start) return plainCall(name);
  const entry = findEntry(program.map.exports, program.module, name);
  return { entry, args: zeroArguments(entry) };
}

function attach(system: System, { memories: [memory] }: ModuleState): void {
  if (memory !== undefined) system.attach(memory);
}

function closeOnError<T>(system: System, action: () => T): T {
  try {
    return action();
  } catch (error) {
    system.close();
    throw error;
  }
}
