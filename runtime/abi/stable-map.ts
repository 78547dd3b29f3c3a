/**
 * The stable map: custom section `mvvm.map` of a compiled module. It says for every stable point which function it is
 * in and which slots its frame has, so that a snapshot can be checked before it is used and shown as a stack trace.
 *
 * A frame in the stream, in the order of pops: the point's number, then the words of all slots of its *function*, in
 * order, low word first. A slot that is dead at the point is there too, so that the length of a frame depends on its
 * function alone: the module may push any value for it, in a snapshot it is zero.
 */

import { ByteReader, ByteWriter, MalformedBytes } from './bytes.js';
import { type PointKind, pointKinds, type SlotType, slotTypes } from './points.js';

export interface Slot {
  /** The local's name in the module's name section, or `$n` with its index. */
  readonly name: string;
  readonly type: SlotType;
}

export interface Signature {
  readonly params: readonly SlotType[];
  readonly results: readonly SlotType[];
}

/** Which function the next inner frame must belong to. */
export type Callee =
  | { readonly kind: 'direct' /** Index into {@link StableMap.functions}. */; readonly function: number }
  | { readonly kind: 'indirect'; readonly signature: Signature };

export interface PointInfo {
  readonly kind: PointKind;
  /** Where in its function: the point is at the `ordinal`-th (from 0) instruction of its kind, in code order. */
  readonly ordinal: number;
  /** Indices into the function's slots, ascending: those whose value the point needs. The others are dead. */
  readonly live: readonly number[];
  /** Set exactly when `kind` is `call`. */
  readonly callee?: Callee;
}

export interface FunctionInfo {
  readonly name: string;
  /** Function index in the original module (imports first), or -1 when an optimisation made the function. */
  readonly originalIndex: number;
  readonly signature: Signature;
  readonly slots: readonly Slot[];
  /** Functions that it calls in its own place: a frame of theirs can be where one of this function is expected. */
  readonly tailCallees?: readonly Callee[];
  /** Number of this function's first point; its points are numbered from there without gaps. */
  readonly firstPoint: number;
  readonly points: readonly PointInfo[];
}

/** An exported function, so that any export can be called and rewound without knowing its types otherwise. */
export interface ExportInfo {
  readonly name: string;
  readonly signature: Signature;
  /** Index into {@link StableMap.functions}, or -1 when the function can reach no stable point. */
  readonly function: number;
}

export interface StableMap {
  /** Instrumented functions, by ascending `firstPoint`; point numbers run from 0 over all of them. */
  readonly functions: readonly FunctionInfo[];
  /** Exported functions whose types are all slot types. */
  readonly exports: readonly ExportInfo[];
  /** Mutable globals in the order of pops. */
  readonly globals: readonly Slot[];
  /** Data segments (by index) that the module can drop: one word each, 1 = dropped, after the globals. */
  readonly droppableSegments: readonly number[];
  /** Export names of the memories, in index order. */
  readonly memories: readonly string[];
  /** Export names of the tables that can change, in index order. */
  readonly tables: readonly string[];
  /** How many `mvvm.func.n` exports there are. */
  readonly referableFunctions: number;
}

/** Encodes a stable map; {@link readStableMap} is its inverse. */
export function writeStableMap(map: StableMap): Uint8Array {
  const out = new ByteWriter();
  const types = (list: readonly SlotType[]): ByteWriter => out.list(list, (type) => out.u8(slotTypes.indexOf(type)));
  const signature = (value: Signature): void => {
    types(value.params);
    types(value.results);
  };
  const callee = (value: Callee): void => {
    if (value.kind === 'direct') out.u32(value.function + 1);
    else {
      out.u32(0);
      signature(value.signature);
    }
  };
  const slots = (list: readonly Slot[]): ByteWriter =>
    out.list(list, (slot) => out.u8(slotTypes.indexOf(slot.type)).text(slot.name));

  out.list(map.functions, (fn) => {
    out.text(fn.name).u32(fn.originalIndex + 1);
    signature(fn.signature);
    slots(fn.slots);
    out.list(fn.tailCallees ?? [], callee);
    out.list(fn.points, (point) => {
      out.u8(pointKinds.indexOf(point.kind)).u32(point.ordinal).bytes(liveMask(point.live, fn.slots.length));
      if (point.callee !== undefined) callee(point.callee);
    });
  });
  out.list(map.exports, (entry) => {
    out.text(entry.name).u32(entry.function + 1);
    signature(entry.signature);
  });
  slots(map.globals);
  out.list(map.droppableSegments, (index) => out.u32(index));
  out.list(map.memories, (name) => out.text(name));
  out.list(map.tables, (name) => out.text(name));
  out.u32(map.referableFunctions);
  return out.finish();
}

/**
 * Decodes and checks a stable map.
 * @throws {MalformedBytes} for anything {@link writeStableMap} would not write
 */
export function readStableMap(bytes: Uint8Array): StableMap {
  const input = new ByteReader(bytes);
  const oneOf = <T>(list: readonly T[], what: string): T => {
    const code = input.u8();
    const value = list[code];
    if (value === undefined) throw new MalformedBytes(`names ${what} ${code}, which does not exist`);
    return value;
  };
  const types = (): SlotType[] => input.list(() => oneOf(slotTypes, 'type'));
  const signature = (): Signature => ({ params: types(), results: types() });
  const slots = (): Slot[] =>
    input.list(() => {
      const type = oneOf(slotTypes, 'type');
      return { name: input.text(), type };
    }, 2);

  const callee = (): Callee => {
    const direct = input.u32();
    return direct > 0 ? { kind: 'direct', function: direct - 1 } : { kind: 'indirect', signature: signature() };
  };
  const point = (slotCount: number): PointInfo => {
    const kind = oneOf(pointKinds, 'point kind');
    const ordinal = input.u32();
    const live = readLiveMask(input, slotCount);
    if (kind !== 'call') return { kind, ordinal, live };
    return { kind, ordinal, live, callee: callee() };
  };

  let firstPoint = 0;
  const functions = input.list((): FunctionInfo => {
    const name = input.text();
    const originalIndex = input.u32() - 1;
    const type = signature();
    const frame = slots();
    const tailCallees = input.list(callee);
    const points = input.list(() => point(frame.length), 2);
    const tail = tailCallees.length === 0 ? {} : { tailCallees };
    const info = { name, originalIndex, signature: type, slots: frame, ...tail, firstPoint, points };
    firstPoint += points.length;
    return info;
  }, 7);
  const exports = input.list((): ExportInfo => {
    const name = input.text();
    const fn = input.u32() - 1;
    return { name, function: fn, signature: signature() };
  }, 4);
  const map: StableMap = {
    functions,
    exports,
    globals: slots(),
    droppableSegments: input.list(() => input.u32()),
    memories: input.list(() => input.text()),
    tables: input.list(() => input.text()),
    referableFunctions: input.u32(),
  };
  input.end();

  for (const index of calleeAndExportTargets(map)) {
    if (index >= functions.length) throw new MalformedBytes(`refers to function ${index} of ${functions.length}`);
  }
  return map;
}

/** The function and the point with this number, or undefined when there is none. */
export function findPoint(map: StableMap, point: number): { fn: FunctionInfo; info: PointInfo } | undefined {
  let low = 0;
  let high = map.functions.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const fn = map.functions[middle];
    if (fn === undefined) return undefined;
    const info = fn.points[point - fn.firstPoint];
    if (info !== undefined) return { fn, info };
    if (point < fn.firstPoint) high = middle - 1;
    else low = middle + 1;
  }
  return undefined;
}

function* calleeAndExportTargets(map: StableMap): Generator<number> {
  for (const fn of map.functions) {
    for (const callee of fn.tailCallees ?? []) if (callee.kind === 'direct') yield callee.function;
    for (const point of fn.points) if (point.callee?.kind === 'direct') yield point.callee.function;
  }
  for (const entry of map.exports) yield entry.function;
}

/** One bit a slot, least significant first. */
function liveMask(live: readonly number[], slotCount: number): Uint8Array {
  const mask = new Uint8Array(Math.ceil(slotCount / 8));
  for (const slot of live) mask[slot >> 3] = (mask[slot >> 3] ?? 0) | (1 << (slot & 7));
  return mask;
}

function readLiveMask(input: ByteReader, slotCount: number): number[] {
  const mask = input.bytes(Math.ceil(slotCount / 8));
  const live: number[] = [];
  for (let slot = 0; slot < mask.length * 8; slot++) {
    if (((mask[slot >> 3] ?? 0) & (1 << (slot & 7))) === 0) continue;
    if (slot >= slotCount) throw new MalformedBytes(`marks slot ${slot} of ${slotCount} as live`);
    live.push(slot);
  }
  return live;
}
