/**
 * Replaces every mark by a poll and makes every function that can be stopped able to leave and to come back: the heart of
 * the compiler. Stages, each in a file of lowering/:
 *
 *     busy-code -> twins -> charge-loops
 *     and for each function: derived-locals -> linearise -> natural-loops -> twinned-loops -> find-live-slots
 *     -> find-stale-locals -> number-points -> frame-layout -> emit-function
 *
 * Needs marks (passes of stage placement). Establishes the ABI of docs/abi.md for frames, and the stable map's functions.
 */

import {
  type Callee,
  endingWasiCalls,
  IMPORT_MODULE,
  type FunctionInfo as MapFunction,
  type PointInfo,
  type Signature,
  wasiModules,
} from '../runtime/abi/index.js';
import { refuse, unsupportedSlot } from './diagnostics.js';
import type { Type } from './ir/binaryen.js';
import { CallGraph, type CallTest, signatureKey } from './ir/call-graph.js';
import { findTags } from './ir/exceptions.js';
import { callTarget, indirectParams, indirectResults, kindOf, typeName, typeParts } from './ir/expressions.js';
import { boundIterations } from './ir/loop-bounds.js';
import { slotTypeOf } from './ir/make.js';
import { importedMarks, usesGate } from './ir/marks.js';
import type { FunctionInfo, IrModule } from './ir/module.js';
import { uncountedIterations } from './ir/short-loops.js';
import { type Busy, BusyCode } from './lowering/busy-code.js';
import { chargeAllLoops, isCharge } from './lowering/charge-loops.js';
import { inlineDerivedLocals } from './lowering/derived-locals.js';
import { emitFunction } from './lowering/emit-function.js';
import { ExceptionSlots } from './lowering/exception-slots.js';
import { findLiveSlots } from './lowering/find-live-slots.js';
import { findStaleLocals } from './lowering/find-stale-locals.js';
import { FrameLayout } from './lowering/frame-layout.js';
import { type CallItem, type LinearFunction, type Point, type Region, regionsIn } from './lowering/linear-code.js';
import { linearise } from './lowering/linearise.js';
import { makeLoopsNatural } from './lowering/natural-loops.js';
import { type Numbering, numberPoints } from './lowering/number-points.js';
import { Support } from './lowering/support.js';
import { findOutside, regionOfTwin, type TwinnedLoops, twinLoops } from './lowering/twinned-loops.js';
import { addTwins, chooseTwins, type Twin } from './lowering/twins.js';
import type { Pass, PassContext } from './pass.js';

type LoweredCode = Pick<Lowered, 'fn' | 'numbering' | 'layout' | 'twinned'>;

/** A function on its way through the stages. */
interface Lowered {
  readonly fn: LinearFunction;
  readonly numbering: Numbering;
  readonly layout: FrameLayout;
  /** The loops that its twin has, if that does not have all of it. */
  readonly twinned: TwinnedLoops;
  readonly firstPoint: number;
  /** Place in the stable map. */
  readonly index: number;
  /** What its frames come back in, if not in itself. */
  readonly twin: LoweredCode | undefined;
}

export const lowerPoints: Pass = {
  name: 'lower-points',
  stage: 'lowering',
  description: 'makes polls of marks, and functions that can leave and come back',
  documentation: `Replaces marks by polls, and gives every function that can be on the stack when a checkpoint is taken the code
to leave (saving its live slots) and to come back. Functions that cannot reach a stable point are left untouched, but
for loops that count as a whole.`,
  run(context) {
    const { module, options } = context;
    const { thresholdBits } = options;
    const support = new Support(module, thresholdBits);
    const graph = new CallGraph(module);
    const busy = new BusyCode(module, graph, options.sizeLevel);
    const chosen = chooseTwins(module, graph, busy, options.twinBudget ?? 0, context.dirt === undefined);
    const twins = addTwins(module, busy, chosen);
    const charging = { module, support, thresholdBits };
    const charged = usesGate(module, 'counted') ? chargeAllLoops(charging, graph.functions(), busy, twins) : [];
    for (const name of charged) context.changed.add(name);
    // Linear code does not hang together any more, so what is thrown and caught has to be found before.
    const tags = module.usesExceptions ? findTags(module) : [];
    const lowered = lowerAll(context, { graph, busy, twins, tags, exceptions: new ExceptionSlots(module, tags) });
    const counts = findCountingCalls(module, graph, charged);
    const reenter = new Reenter(graph, support, lowered);
    for (const { fn, numbering, layout, firstPoint, twinned, twin } of lowered) {
      context.changed.add(fn.info.name);
      const pending = context.dirt?.pending.get(fn.info.name);
      const shortRun = twin === undefined ? 0 : uncountedIterations(thresholdBits);
      const common = { module, support, firstPoint, shortRun, reenter, pending, counts };
      const comesBack = hasWaysBack(twin) ? 'in-itself' : 'in-its-twin';
      const counterpart = twin?.fn.info;
      module.setBody(
        fn.info,
        emitFunction(fn, { ...common, numbering, layout, twinned, counterpart, comesBack, isBrief: false }),
      );
      if (twin === undefined) continue;
      const isBrief = twins.get(fn.info.name)?.isBrief === true;
      const ofTwin = { ...common, ...twin, counterpart: fn.info, comesBack: 'is-twin', isBrief } as const;
      module.setBody(twin.fn.info, emitFunction(twin.fn, ofTwin));
    }
    for (const name of importedMarks(module)) module.removeFunction(name);
    const indices = new Map(lowered.map((entry) => [entry.fn.info.name, entry.index]));
    context.lowered = { functions: lowered.map((entry) => describe(entry, indices, graph)), support, graph };
  },
};

/**
 * Tests for calls during which the global counters have to be right: loops may count as a whole in them or by them, an export
 * of the module may be called, or the program may end. Imports of the embedder's may do any of that; of WASI's, some end the
 * program.
 *
 * @param charged functions with loops that count as a whole
 */
function findCountingCalls(module: IrModule, graph: CallGraph, charged: readonly string[]): CallTest {
  const unknown = module.functions().filter(({ name, imported }) => {
    return imported !== undefined && !module.isStandIn(name) && !returnsWithoutCalling(imported);
  });
  const reaches = graph.reaching([...charged, ...unknown.map(({ name }) => name)]);
  const takesFunctions = module.takesFunctions();
  return (call) => reaches(call) || isCharge(call) || (takesFunctions && kindOf(call) === 'CallIndirect');
}

function returnsWithoutCalling({ module, base }: NonNullable<FunctionInfo['imported']>): boolean {
  return module === IMPORT_MODULE || (wasiModules.includes(module) && !endingWasiCalls.includes(base));
}

/** To run a loop of so many iterations or fewer in strips takes longer than to poll in each. */
const FEW_ITERATIONS = 8;

/** What is found out before any function is lowered. */
interface Findings {
  readonly graph: CallGraph;
  readonly busy: BusyCode;
  readonly twins: ReadonlyMap<string, Twin>;
  /** Names of the tags that are thrown and caught. */
  readonly tags: readonly string[];
  readonly exceptions: ExceptionSlots;
}

function lowerAll({ module, dirt }: PassContext, { graph, busy, twins, tags, exceptions }: Findings): Lowered[] {
  let firstPoint = 0;
  // Counted gates have no points in loops of few iterations; where they open often they have, and these run in strips.
  const pollsEachLoop = usesGate(module, 'budget') || usesGate(module, 'dirty');
  const lowerOne = (info: FunctionInfo, found: Busy, waysBack: boolean): LoweredCode => {
    const few = new Set(pollsEachLoop ? boundIterations(module, info, FEW_ITERATIONS).keys() : []);
    const context = { module, graph, busy: found, knownTags: tags, hasWaysBack: waysBack, fewIterations: few };
    const fn = linearise(info, context);
    // Where stores mark what they change, marks are pending in the code of their loop.
    if (dirt === undefined) makeLoopsNatural(fn.body, module.make);
    const loops = twinLoops(fn);
    const types = module.localTypes(info);
    findLiveSlots(fn, types.length);
    const twinned = findOutside(fn, loops);
    findStaleLocals(fn, types, twinned);
    const numbering = numberPoints(fn, twinned.items);
    const layout = new FrameLayout(module, info, twinned.saved, exceptions);
    return { fn, numbering, layout, twinned };
  };
  const lowerTwin = ({ info: copy, hot }: Twin): LoweredCode | undefined => {
    const twin = lowerOne(copy, busy.findIn(copy.name, hot), true);
    if (twin.twinned.loops.length > 0) return { ...twin, fn: { ...twin.fn, body: regionOfTwin(twin.twinned.loops) } };
    // All code has twins that can (0), or all of this function is to have one.
    if (hot === 0 || hot === Number.POSITIVE_INFINITY) return twin;
    module.removeFunction(copy.name);
    return undefined;
  };
  return graph
    .functions()
    .filter((info) => graph.isInstrumented(info.name))
    .map((info, index): Lowered => {
      const added = twins.get(info.name);
      inlineDerivedLocals(module, info, added?.info);
      const twin = added && lowerTwin(added);
      const found = busy.findIn(info.name, added?.hot);
      const entry = { ...lowerOne(info, found, hasWaysBack(twin)), firstPoint, index, twin };
      if (twin !== undefined && !isAlike(entry, twin)) {
        throw new Error(`the twin of ${info.name} has other points or slots`);
      }
      firstPoint += entry.numbering.points.length;
      return entry;
    });
}

/** Whether frames of a function with this twin come back in its own code, but for twinned loops. */
function hasWaysBack(twin: LoweredCode | undefined): boolean {
  return twin === undefined || twin.twinned.loops.length > 0;
}

/** Whether frames that leave one can come back in the other. */
function isAlike(one: LoweredCode, other: LoweredCode): boolean {
  const describe = ({ numbering, layout }: LoweredCode): string => {
    const points = numbering.points.map((point) => [point.kind, point.ordinal, layout.liveSlots(point)]);
    return JSON.stringify([layout.slots.map(({ type }) => type), points]);
  };
  return describe(one) === describe(other);
}

/** The functions that re-enter the callee of an indirect call, one for each type of such calls; or of a tail call. */
class Reenter {
  readonly #graph: CallGraph;
  readonly #support: Support;
  readonly #byName: ReadonlyMap<string, Lowered>;
  readonly #made = new Map<string, string>();

  constructor(graph: CallGraph, support: Support, lowered: readonly Lowered[]) {
    this.#graph = graph;
    this.#support = support;
    this.#byName = new Map(lowered.map((entry) => [entry.fn.info.name, entry]));
  }

  functionFor(call: CallItem['call']): string {
    const results = indirectResults(call);
    const key = signatureKey(indirectParams(call), results);
    const made = this.#made.get(key);
    if (made !== undefined) return made;
    return this.#add(key, results, this.#graph.withTailCallees(this.#graph.indirectCallees(key)));
  }

  forwarderOf(info: FunctionInfo): string | undefined {
    const others = this.#graph.withTailCallees([info]).filter(({ name }) => name !== info.name);
    if (others.length === 0) return undefined;
    const key = ['in place of', ...others.map(({ name }) => name)].join(' ');
    return this.#made.get(key) ?? this.#add(key, info.results, others);
  }

  twinOf(name: string): FunctionInfo | undefined {
    const entry = this.#byName.get(name);
    return entry?.twinned.loops.length === 0 ? entry.twin?.fn.info : undefined;
  }

  #add(key: string, results: Type, functions: readonly FunctionInfo[]): string {
    const name = `mvvm.reenter.${this.#made.size}`;
    this.#made.set(key, name);
    const candidates = functions.flatMap(({ name: candidate }) => this.#byName.get(candidate) ?? []);
    this.#support.addReenter(
      name,
      results,
      // A twin at once: by way of its function, each frame would take the stack of two.
      candidates.map(({ fn, firstPoint }) => ({ info: this.twinOf(fn.info.name) ?? fn.info, firstPoint })),
    );
    return name;
  }
}

// --- The stable map ---

function describe(
  { fn, numbering, layout, firstPoint }: Lowered,
  indices: ReadonlyMap<string, number>,
  graph: CallGraph,
): MapFunction {
  const calls = new Map<Point, CallItem>();
  collectCalls(fn.body, calls);
  return {
    name: fn.info.name,
    originalIndex: fn.info.originalIndex,
    signature: signatureOf(fn.info, fn.info.params, fn.info.results),
    slots: layout.slots,
    ...describeTailCalls(fn.info, indices, graph),
    firstPoint,
    points: numbering.points.map((point): PointInfo => {
      const call = calls.get(point);
      const callee = point.kind === 'call' && call !== undefined ? { callee: calleeOf(fn.info, call, indices) } : {};
      return { kind: point.kind, ordinal: point.ordinal, live: layout.liveSlots(point), ...callee };
    }),
  };
}

function describeTailCalls(
  info: FunctionInfo,
  indices: ReadonlyMap<string, number>,
  graph: CallGraph,
): Pick<MapFunction, 'tailCallees'> {
  const { functions, types } = graph.tailCalls(info.name);
  const direct = functions.map((name): Callee => ({ kind: 'direct', function: indexOf(indices, name) }));
  const indirect = types.flatMap((key): Callee[] => {
    const [callee] = graph.indirectCallees(key);
    return callee === undefined
      ? []
      : [{ kind: 'indirect', signature: signatureOf(info, callee.params, callee.results) }];
  });
  return direct.length + indirect.length === 0 ? {} : { tailCallees: [...direct, ...indirect] };
}

function collectCalls(region: Region, calls: Map<Point, CallItem>): void {
  for (const item of region) {
    if (item.kind === 'call') calls.set(item.point, item);
    for (const inner of regionsIn(item)) collectCalls(inner, calls);
  }
}

function calleeOf(caller: FunctionInfo, { call }: CallItem, indices: ReadonlyMap<string, number>): Callee {
  if (kindOf(call) === 'CallIndirect') {
    return { kind: 'indirect', signature: signatureOf(caller, indirectParams(call), indirectResults(call)) };
  }
  return { kind: 'direct', function: indexOf(indices, callTarget(call)) };
}

function indexOf(indices: ReadonlyMap<string, number>, name: string): number {
  const index = indices.get(name);
  if (index === undefined) throw new Error(`${name} is called at a stable point and has none`);
  return index;
}

/** @throws {CompileError} `unsupported/slot-type` for types that cannot be saved */
export function signatureOf(fn: FunctionInfo, params: Type, results: Type): Signature {
  const slots = (type: Type): Signature['params'] =>
    typeParts(type).map(
      (part) => slotTypeOf.get(part) ?? refuse(unsupportedSlot(`function ${fn.name}`, typeName(part))),
    );
  return { params: slots(params), results: slots(results) };
}
