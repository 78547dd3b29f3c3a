/**
 * Gives the module the exports by which a host stops and continues it, and saves what is the module's own: mutable
 * globals, which segments were dropped, which tables can change.
 *
 *     mvvm.save          push flags and globals, last first; push counter; push frames; frames = unwinding = 0
 *     mvvm.load(budget)  frames = pop; saved_counter = pop; pop globals and flags; saved_budget = budget; entering |= 1
 *
 * A flag is set where its segment is dropped: `(data.drop $d)` becomes `(data.drop $d) (global.set $mvvm.dropped.0 1)`.
 * Those of element segments are saved like the globals that they are.
 * The start section becomes the export `mvvm.start`: it must run on a fresh start and never on a restore.
 * Needs lower-points. Establishes the stable map.
 */

import { type ExportInfo, exports, type Slot } from '../runtime/abi/index.js';
import { refuse, unsupportedSlot } from './diagnostics.js';
import type { Expr } from './ir/binaryen.js';
import {
  droppedSegment,
  exnref,
  grownTableOf,
  i32,
  isOpaque,
  kindOf,
  none,
  setTableOf,
  textOf,
  typeName,
  typeParts,
} from './ir/expressions.js';
import { slotTypeOf, typeOfSlot } from './ir/make.js';
import type { IrModule } from './ir/module.js';
import { rewrite, walk } from './ir/walk.js';
import { exceptionCount, exceptionTable } from './lowering/exception-slots.js';
import { makeDirtyBits, makeIsRewinding, type Support } from './lowering/support.js';
import { dirtyGlobals, globals, importNames, popFunction } from './lowering/support-names.js';
import type { Pass } from './pass.js';

export const moduleState: Pass = {
  name: 'module-state',
  stage: 'lowering',
  description: 'adds the exports that stop, save, load and continue the module',
  documentation: 'Adds the exports of docs/abi.md, and code that saves globals and which segments were dropped.',
  run(context) {
    const { module, lowered } = context;
    if (lowered === undefined) throw new Error('lower-points runs before module-state');
    const { support, functions, graph } = lowered;
    const { make } = module;
    const entries = describeExports(module, new Map(functions.map((fn, index) => [fn.name, index])));
    const elements = flagDroppedElements(module);
    const saved = findGlobals(module);
    const segments = flagDroppedSegments(module);
    const flags = segments.map(({ flag }): Slot => ({ name: flag, type: 'i32' }));

    addSave(module, support, [...saved, ...flags]);
    const dropAgain = [
      ...segments.map(({ name, flag }) => make.if(make.globalGet(flag), [make.dataDrop(name)])),
      ...elements.map(({ drop, flag }) => make.if(make.globalGet(flag), [module.copyExpression(drop)])),
    ];
    addLoad(module, support, [...saved, ...flags], dropAgain);
    addSwitches(module);
    if (context.dirt !== undefined) addTakeDirty(module, context.dirt.shift);
    const start = module.takeStart();
    if (start !== undefined) module.exportFunction(start, exports.start);

    const tables = exportTables(module);
    const referable = tables.length > 0 || support.savesReferences ? graph.referable : [];
    for (const [index, fn] of referable.entries()) module.exportFunction(fn.name, exports.func(index));
    context.map = {
      functions,
      exports: start === undefined ? entries : [...entries, ...startExport(functions, start)],
      globals: saved,
      droppableSegments: segments.map(({ index }) => index),
      memories: exportMemories(module),
      tables,
      referableFunctions: referable.length,
    };
  },
};

function describeExports(module: IrModule, stoppable: ReadonlyMap<string, number>): ExportInfo[] {
  const functions = new Map(module.functions().map((fn) => [fn.name, fn]));
  return module.exports().flatMap(({ kind, name, item }): ExportInfo[] => {
    const fn = kind === 'function' ? functions.get(item) : undefined;
    if (fn === undefined) return [];
    const params = typeParts(fn.params).map((type) => slotTypeOf.get(type));
    const results = typeParts(fn.results).map((type) => slotTypeOf.get(type));
    if (!params.every((type) => type !== undefined) || !results.every((type) => type !== undefined)) return [];
    return [{ name, function: stoppable.get(item) ?? -1, signature: { params, results } }];
  });
}

function startExport(functions: readonly { readonly name: string }[], start: string): ExportInfo[] {
  const signature = { params: [], results: [] };
  return [{ name: exports.start, function: functions.findIndex((fn) => fn.name === start), signature }];
}

const ownGlobals: ReadonlySet<string> = new Set([
  ...Object.values(globals),
  ...Object.values(dirtyGlobals),
  exceptionCount,
]);

function findGlobals(module: IrModule): Slot[] {
  return module
    .globals()
    .filter(({ name, mutable }) => mutable && !ownGlobals.has(name))
    .map(({ name, type }) => {
      const slotType = slotTypeOf.get(type) ?? refuse(unsupportedSlot(`global ${name}`, typeName(type)));
      return { name, type: slotType };
    });
}

interface DroppedSegment {
  readonly name: string;
  readonly index: number;
  /** The global that is 1 once the segment was dropped. */
  readonly flag: string;
}

function flagDroppedSegments(module: IrModule): DroppedSegment[] {
  const flags = addFlags(module, 'DataDrop', 'mvvm.dropped', droppedSegment);
  if (flags.size === 0) return [];
  const names = module.dataSegments();
  return [...flags].map(([name, { flag }]) => ({ name, index: names.indexOf(name), flag }));
}

/** Element segments have no names in Binaryen's interface; what drops one is as good. */
function flagDroppedElements(module: IrModule): { readonly drop: Expr; readonly flag: string }[] {
  return [...addFlags(module, 'ElemDrop', 'mvvm.dropped_elements', textOf).values()];
}

/** Adds a global for each segment that instructions of a kind drop, and sets it where they do. */
function addFlags(
  module: IrModule,
  kind: 'DataDrop' | 'ElemDrop',
  prefix: string,
  segmentOf: (drop: Expr) => string,
): ReadonlyMap<string, { readonly drop: Expr; readonly flag: string }> {
  const { make } = module;
  const flags = new Map<string, { readonly drop: Expr; readonly flag: string }>();
  for (const fn of module.definedFunctions()) {
    const flag = (expr: Expr): Expr => {
      if (kindOf(expr) !== kind) return expr;
      const segment = segmentOf(expr);
      const entry = flags.get(segment) ?? { drop: expr, flag: `${prefix}.${flags.size}` };
      flags.set(segment, entry);
      return make.block(null, [expr, make.globalSet(entry.flag, make.const(1))]);
    };
    module.setBody(fn, rewrite(module.body(fn), flag));
  }
  for (const { flag } of flags.values()) module.addGlobal(flag, i32, make.const(0));
  return flags;
}

/** @param saved globals in the order of pops */
function addSave(module: IrModule, support: Support, saved: readonly Slot[]): void {
  const { make } = module;
  const pushes = saved.flatMap(({ name, type }) => support.makePushes(type, [make.globalGet(name, typeOfSlot[type])]));
  const push = (global: string): Expr => make.call(importNames.push, [make.globalGet(global)]);
  const clear = (global: string): Expr => make.globalSet(global, make.const(0));
  const body = [
    ...pushes.reverse(),
    push(globals.counter),
    push(globals.frames),
    clear(globals.frames),
    clear(globals.unwinding),
  ];
  module.addFunction('mvvm.save', none, none, [], make.block(null, body));
  module.exportFunction('mvvm.save', exports.save);
}

function addLoad(module: IrModule, support: Support, saved: readonly Slot[], dropAgain: readonly Expr[]): void {
  const { make } = module;
  const pop = (global: string): Expr => make.globalSet(global, make.call(importNames.pop, [], i32));
  const restore = ({ name, type }: Slot): Expr =>
    make.globalSet(name, make.call(support.use(popFunction(type)), [], typeOfSlot[type]));
  const body = [
    pop(globals.frames),
    pop(globals.savedCounter),
    ...saved.map(restore),
    ...dropAgain,
    make.globalSet(globals.savedBudget, make.get(0, i32)),
    make.globalSet(globals.entering, make.or(make.globalGet(globals.entering), make.const(1))),
  ];
  module.addFunction('mvvm.load', i32, none, [], make.block(null, body));
  module.exportFunction('mvvm.load', exports.load);
}

function addSwitches(module: IrModule): void {
  const { make } = module;
  const add = (name: string, params: typeof i32 | typeof none, body: Expr): void => {
    module.addFunction(name, params, none, [], body);
    module.exportFunction(name, name);
  };
  add(exports.interrupt, none, make.globalSet(globals.unwinding, make.const(1)));
  add(exports.setBudget, i32, make.globalSet(globals.budget, make.get(0, i32)));
  const watching = make.shiftLeft(make.notZero(make.get(0, i32)), 1);
  add(exports.watch, i32, make.globalSet(globals.entering, make.or(makeIsRewinding(module), watching)));
}

/** Pushes high half, low half and shift of the dirty bits, so that the shift pops first, and clears them. */
function addTakeDirty(module: IrModule, shift: number): void {
  const { make } = module;
  const push = (word: Expr): Expr => make.call(importNames.push, [word]);
  const bits = (): Expr => makeDirtyBits(module);
  const body = [
    push(make.word('i64', 1, bits())),
    push(make.word('i64', 0, bits())),
    push(make.const(shift)),
    make.globalSet(dirtyGlobals.bits, make.const64(0n)),
  ];
  module.addFunction(exports.takeDirty, none, none, [], make.block(null, body));
  module.exportFunction(exports.takeDirty, exports.takeDirty);
}

/** Exports the tables that the module or its host can change; returns their export names. */
function exportTables(module: IrModule): string[] {
  const changed = new Set<string>();
  for (const fn of module.definedFunctions()) {
    walk(module.body(fn), (expr) => {
      if (kindOf(expr) === 'TableSet') changed.add(setTableOf(expr));
      if (kindOf(expr) === 'TableGrow') changed.add(grownTableOf(expr));
      if (isOpaque(expr)) for (const { name } of module.tables()) changed.add(name);
    });
  }
  const exported = new Map(
    module.exports().flatMap(({ kind, item, name }) => (kind === 'table' ? [[item, name]] : [])),
  );
  return module.tables().flatMap(({ name, imported, type }, index) => {
    if (name === exceptionTable) return [];
    if (type === exnref) refuse(unsupportedSlot(`table ${name}`, typeName(type)));
    const known = exported.get(name);
    if (known !== undefined) return [known];
    if (!imported && !changed.has(name)) return [];
    module.exportTable(name, exports.table(index));
    return [exports.table(index)];
  });
}

/** Exports the memories that the module does not; returns their export names, in index order. */
function exportMemories(module: IrModule): string[] {
  const exported = new Map(
    module.exports().flatMap(({ kind, item, name }) => (kind === 'memory' ? [[item, name]] : [])),
  );
  return module.memories.names().map((memory, index) => {
    const known = exported.get(memory);
    if (known !== undefined) return known;
    module.exportMemory(memory, exports.memory(index));
    return exports.memory(index);
  });
}
