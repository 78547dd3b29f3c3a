/**
 * Walks the stream of a stopped module (docs/abi.md, "The stream") against its stable map, before anything is rewound.
 *
 *   top    number of frames
 *          counter of the counted gate
 *          mutable globals, in the map's order
 *          dropped-segment flags, 0 or 1 each
 *          outermost frame: point, slots of its function
 *          ...
 *   bottom innermost frame
 *
 * A stream that passes is one that the module itself could have pushed as far as the map can tell:
 * 1. it is used up exactly, by as many frames as it claims
 * 2. the outermost frame belongs to the entry
 * 3. every frame but the innermost waits in a call; the innermost does not
 * 4. the function of each frame is one that the frame outside it can be calling, or that such a one calls in its own place
 * 5. slots that are dead at their frame's point are zero
 * 6. references are null, functions that the module has, or numbers of the host
 */

import {
  exports as abiExports,
  type Callee,
  type FunctionInfo,
  findPoint,
  isReference,
  type PointInfo,
  type PointKind,
  type Signature,
  type Slot,
  type StableMap,
  wordsOf,
} from '../abi/index.js';
import { badFrames, badState, SnapshotError } from './errors.js';
import { type DecodedSlot, readSlot } from './stack-values.js';

export interface DecodedFrame {
  readonly point: number;
  readonly kind: PointKind;
  readonly function: FunctionInfo;
  readonly slots: readonly DecodedSlot[];
}

export interface DecodedStack {
  /** Outermost first. */
  readonly frames: readonly DecodedFrame[];
  /** Counter of the counted gate. */
  readonly counter: number;
  readonly globals: readonly DecodedSlot[];
  /** Indices of the data segments that the module has dropped. */
  readonly droppedSegments: readonly number[];
}

/**
 * @param words the stream, bottom first
 * @param entry the export that was running
 * @throws {SnapshotError} `snapshot/frames`, or `snapshot/state` for what is not part of a frame
 */
export function validateFrames(words: Uint32Array, map: StableMap, entry: string): DecodedStack {
  const stream = new WordStream(words);
  const frameCount = stream.next();
  const counter = stream.next();
  const globals = map.globals.map((slot) => readLiveSlot(slot, stream, map));
  const droppedSegments = map.droppableSegments.filter((segment) => readFlag(stream, segment));

  if (frameCount === 0) throw new SnapshotError(badFrames('there is none'));
  if (frameCount > stream.left) {
    throw new SnapshotError(badFrames(`${frameCount} are claimed, in ${stream.left} words`));
  }
  const frames: DecodedFrame[] = [];
  let outer: DecodedFrame | undefined;
  let outerCallee: Callee | undefined;
  const callable = new Callable(map);
  for (let depth = 0; depth < frameCount; depth++) {
    const { frame, info } = readFrame(stream, map, depth);
    if (outer === undefined) checkEntry(map, entry, frame.function, callable);
    else checkCall(outer, outerCallee, frame.function, callable);
    checkKind(info, frame, depth, frameCount);
    frames.push(frame);
    outer = frame;
    outerCallee = info.callee;
  }
  if (stream.left > 0) throw new SnapshotError(badFrames(`${stream.left} words belong to none of the ${frameCount}`));
  return { frames, counter, globals, droppedSegments };
}

function readFrame(stream: WordStream, map: StableMap, depth: number): { frame: DecodedFrame; info: PointInfo } {
  const point = stream.next();
  const found = findPoint(map, point);
  if (found === undefined)
    throw new SnapshotError(badFrames(`frame ${depth} is at stable point ${point}, which is none`));
  const { fn, info } = found;
  const size = fn.slots.reduce((sum, slot) => sum + wordsOf[slot.type], 0);
  if (size > stream.left) {
    throw new SnapshotError(badFrames(`frame ${depth} of ${fn.name} needs ${size} words, ${stream.left} are left`));
  }
  const live = new Set(info.live);
  const slots = fn.slots.map((slot, index) =>
    live.has(index) ? readLiveSlot(slot, stream, map) : readDeadSlot(slot, stream, fn, depth),
  );
  return { frame: { point, kind: info.kind, function: fn, slots }, info };
}

function readLiveSlot(slot: Slot, stream: WordStream, map: StableMap): DecodedSlot {
  return readSlot(slot, true, () => {
    const word = stream.next();
    if (isReference(slot.type) && (word | 0) > map.referableFunctions) {
      throw new SnapshotError(badState(`${slot.name} refers to function ${word - 1}, which is none`));
    }
    return word;
  });
}

function readDeadSlot(slot: Slot, stream: WordStream, fn: FunctionInfo, depth: number): DecodedSlot {
  let bits = 0;
  const decoded = readSlot(slot, false, () => {
    const word = stream.next();
    bits |= word;
    return word;
  });
  if (bits === 0) return decoded;
  throw new SnapshotError(badFrames(`slot ${slot.name} of frame ${depth}, of ${fn.name}, is dead and not zero`));
}

function checkKind({ kind }: PointInfo, { function: fn }: DecodedFrame, depth: number, count: number): void {
  const innermost = depth === count - 1;
  if (innermost === (kind !== 'call')) return;
  const what = innermost ? 'the innermost frame waits in a call' : `frame ${depth} is at a point of kind "${kind}"`;
  throw new SnapshotError(badFrames(`${what}, in ${fn.name}`));
}

function checkEntry(map: StableMap, entry: string, outermost: FunctionInfo, callable: Callable): void {
  const found = map.exports.find((candidate) => candidate.name === entry);
  // The map need not list what was the start function: nobody but the runtime calls it.
  const fits =
    found === undefined
      ? entry === abiExports.start && sameSignature(outermost.signature, { params: [], results: [] })
      : found.function >= 0 && callable.has({ kind: 'direct', function: found.function }, outermost);
  if (fits) return;
  throw new SnapshotError(
    found === undefined && entry !== abiExports.start
      ? badState(`the entry ${JSON.stringify(entry)} is no export of the module`)
      : badFrames(`the outermost frame is of ${outermost.name}, which is not the entry ${JSON.stringify(entry)}`),
  );
}

function checkCall(outer: DecodedFrame, callee: Callee | undefined, inner: FunctionInfo, callable: Callable): void {
  if (callee === undefined || !callable.has(callee, inner)) {
    throw new SnapshotError(badFrames(`${outer.function.name} does not call ${inner.name} at point ${outer.point}`));
  }
}

/** Which functions can be running where a callee is waited for. */
class Callable {
  readonly #map: StableMap;
  readonly #byTailCalls = new Map<Callee, ReadonlySet<FunctionInfo>>();

  constructor(map: StableMap) {
    this.#map = map;
  }

  has(callee: Callee, fn: FunctionInfo): boolean {
    return this.#isCalled(callee, fn) || this.#withTailCallees(callee).has(fn);
  }

  #isCalled(callee: Callee, fn: FunctionInfo): boolean {
    return callee.kind === 'direct'
      ? this.#map.functions[callee.function] === fn
      : sameSignature(callee.signature, fn.signature);
  }

  #withTailCallees(callee: Callee): ReadonlySet<FunctionInfo> {
    const known = this.#byTailCalls.get(callee);
    if (known !== undefined) return known;
    const found = new Set<FunctionInfo>();
    const add = (called: Callee): void => {
      for (const fn of this.#map.functions) if (this.#isCalled(called, fn)) found.add(fn);
    };
    add(callee);
    for (const fn of found) for (const next of fn.tailCallees ?? []) add(next);
    this.#byTailCalls.set(callee, found);
    return found;
  }
}

function sameSignature(a: Signature, b: Signature): boolean {
  return a.params.join() === b.params.join() && a.results.join() === b.results.join();
}

function readFlag(stream: WordStream, segment: number): boolean {
  const flag = stream.next();
  if (flag > 1) throw new SnapshotError(badState(`data segment ${segment} has the dropped flag ${flag}`));
  return flag === 1;
}

/** The words from the top. */
class WordStream {
  readonly #words: Uint32Array;
  #left: number;

  constructor(words: Uint32Array) {
    this.#words = words;
    this.#left = words.length;
  }

  get left(): number {
    return this.#left;
  }

  next(): number {
    const word = this.#words[this.#left - 1];
    if (word === undefined) throw new SnapshotError(badState('its stream ends before the frames'));
    this.#left -= 1;
    return word;
  }
}
