/** A module in Binaryen's IR: reading, optimising, looking things up, adding items, writing. */

import { MalformedBytes } from '../../runtime/abi/index.js';
import { invalidOutput, malformedModule, optimiserFailed, refuse, unsupportedModule } from '../diagnostics.js';
import { type BinaryFacts, readBinaryFacts } from './binary-facts.js';
import {
  api,
  asExpr,
  asFunction,
  asType,
  type BinaryenModule,
  collectPrinted,
  dataSegmentName,
  type Expr,
  type FunctionRef,
  failureText,
  rawFunction,
  type Type,
  withoutPrinting,
} from './binaryen.js';
import { ElementSegments } from './element-segments.js';
import { findEngineObjection } from './engine-objection.js';
import { StandInFunctions, writeWithStandIns } from './exnref/stand-in-functions.js';
import type { StandIn } from './exnref/stand-ins.js';
import { funcref, kindOf, none, typeParts } from './expressions.js';
import {
  featuresBesideNewerExceptions,
  featuresOfAllEngines,
  findFeatures,
  newerExceptions,
  supportedFeatures,
} from './features.js';
import { Maker } from './make.js';
import { Memories } from './memories.js';
import { NulNames } from './nul-names.js';
import { readable, readBinary } from './read-binary.js';

export interface FunctionInfo {
  readonly ref: FunctionRef;
  readonly name: string;
  /** Set when the function is imported. */
  readonly imported?: { readonly module: string; readonly base: string };
  readonly params: Type;
  readonly results: Type;
  /** Function index in the module as it was read, or -1 if it was added since. */
  readonly originalIndex: number;
}

export interface GlobalInfo {
  readonly name: string;
  readonly type: Type;
  readonly mutable: boolean;
  readonly imported: boolean;
}

export interface ExportEntry {
  readonly kind: 'function' | 'table' | 'memory' | 'global' | 'tag';
  readonly name: string;
  /** Internal name of the exported item. */
  readonly item: string;
}

const exportKinds = ['function', 'table', 'memory', 'global', 'tag'] as const;

export interface OptimiseLevels {
  readonly optimizeLevel: 0 | 1 | 2 | 3;
  readonly shrinkLevel: 0 | 1 | 2;
}

/** Bits of {@link IrModule.effectsOf}, Binaryen's. */
export const effects = { readsLocal: 4, readsGlobal: 16 } as const;

export class IrModule {
  readonly make: Maker;
  readonly elements: ElementSegments;
  readonly memories: Memories;
  readonly #module: BinaryenModule;
  readonly #originalIndices: ReadonlyMap<string, number>;

  readonly #facts: BinaryFacts;
  readonly #names: NulNames;

  /** Set when its exceptions are in their newer form outside, and in the older one here: see exnref/. */
  readonly #standIns: StandInFunctions | undefined;

  /** Lets optimisations use what the module needs anyway, and nothing more. */
  #allow(features: number): void {
    this.#module.setFeatures(this.#module.getFeatures() | features);
  }

  private constructor(
    module: BinaryenModule,
    facts: BinaryFacts,
    names: NulNames = new NulNames(facts),
    hasStandIns = false,
  ) {
    this.#module = module;
    this.#facts = facts;
    this.#names = names;
    this.make = new Maker(module);
    this.elements = new ElementSegments(module.ptr);
    this.memories = new Memories(module, facts);
    this.#standIns = hasStandIns ? new StandInFunctions(this) : undefined;
    const own = this.functions().filter(({ name }) => !this.isStandIn(name));
    this.#originalIndices = new Map(own.map((fn, index) => [fn.name, index]));
  }

  /**
   * Reads a binary module. What it returns is valid.
   * @throws {CompileError} `module/malformed`, or `unsupported/instruction` for what cannot be looked into
   */
  static read(bytes: Uint8Array): IrModule {
    const objection = findEngineObjection(bytes);
    const names = new NulNames(readBinaryFacts(bytes));
    const { module: read, source } = readable(
      () => readBinary(names.hide(bytes)),
      (reason) =>
        objection === undefined
          ? unsupportedModule(`a module that the optimiser cannot read (${reason})`)
          : malformedModule(objection),
    );
    const module = new IrModule(read, readBinaryFacts(names.show(source)), names);
    try {
      // Nothing may look into a module of which neither the engine nor Binaryen says that it is valid: Binaryen aborts.
      if (objection !== undefined && !module.#isValidWith(api.Features.All)) refuse(malformedModule(objection));
      const features = findFeatures(module);
      if ((features & newerExceptions) !== 0) return module.#withStandIns();
      module.#allow(features);
      // The engine knows all that this module needs, so it has nothing against it but that it is invalid.
      if (objection !== undefined && module.#isValidWith(featuresOfAllEngines)) refuse(malformedModule(objection));
      return module;
    } catch (error) {
      module.dispose();
      throw error;
    }
  }

  /**
   * Parses the text format.
   * @throws {CompileError} like {@link read}
   */
  static parse(text: string): IrModule {
    const parsed = readable(() => api.parseText(text), malformedModule);
    const module = new IrModule(parsed, readBinaryFacts(parsed.emitBinary()));
    const features = findFeatures(module);
    if ((features & newerExceptions) !== 0) return module.#withStandIns();
    module.#allow(features);
    return module;
  }

  /**
   * The same module with its exceptions in the form that passes know, in place of this one.
   * @throws {CompileError} `module/reserved-name`, or `unsupported/module` where they cannot be translated
   */
  #withStandIns(): IrModule {
    // Without garbage collection Binaryen writes no finer types of references than translating knows.
    this.#module.setFeatures(supportedFeatures);
    try {
      const translated = writeWithStandIns(this, () => this.#module.emitBinary());
      const read = withoutPrinting(() => api.readBinary(translated));
      const module = new IrModule(read, this.#facts, this.#names, true);
      module.#allow(findFeatures(module) | featuresBesideNewerExceptions);
      this.dispose();
      return module;
    } catch (error) {
      if (error instanceof MalformedBytes) refuse(unsupportedModule(`a module with try_table that ${error.message}`));
      throw error;
    }
  }

  /** Whether a function of this name stands for an instruction. */
  isStandIn(name: string): boolean {
    return this.#standIns?.has(name) ?? false;
  }

  /** A call of the function that stands for an instruction. */
  makeStandIn(standIn: StandIn, operands: readonly Expr[]): Expr {
    if (this.#standIns === undefined)
      throw new Error('only exceptions in their newer form need functions for instructions');
    return this.#standIns.makeCall(standIn, operands);
  }

  /** @throws {CompileError} `internal/optimiser-failed`, as do the other ways to run passes */
  optimise(levels: OptimiseLevels): void {
    this.setLevels(levels);
    this.#withSoundPasses(() => this.#module.optimize());
  }

  /** What the passes that are run from now on take for granted. The setting is process-wide. */
  setLevels({ optimizeLevel, shrinkLevel }: OptimiseLevels): void {
    api.setOptimizeLevel(optimizeLevel);
    api.setShrinkLevel(shrinkLevel);
  }

  runPasses(passes: readonly string[]): void {
    this.#withSoundPasses(() => this.#module.runPasses(passes));
  }

  #withSoundPasses(run: () => void): void {
    for (const pass of this.elements.unsoundPasses) api.addPassToSkip(pass);
    try {
      run();
    } catch (error) {
      // No pass refuses a valid module: a failure here is a bug, or what an earlier failure inside Binaryen has spoilt.
      refuse(optimiserFailed(failureText(error)));
    } finally {
      api.clearPassesToSkip();
    }
  }

  runPassesOn(fn: FunctionInfo, passes: readonly string[]): void {
    this.#withSoundPasses(() => this.#module.runPassesOnFunction(fn.ref, passes));
  }

  /** @throws {CompileError} `internal/invalid-module`, naming the pass that was run last */
  validate(lastPass = 'the last one'): void {
    let valid = false;
    const reasons = collectPrinted(() => {
      valid = this.#module.validate() !== 0;
    });
    if (!valid) refuse(invalidOutput(lastPass, reasons || 'no reason given'));
  }

  /** Whether Binaryen takes it for valid where these features are allowed. */
  #isValidWith(features: number): boolean {
    const before = this.#module.getFeatures();
    this.#module.setFeatures(features);
    try {
      return withoutPrinting(() => this.#module.validate() !== 0);
    } catch {
      // There is damage that its validator stumbles over.
      return false;
    } finally {
      this.#module.setFeatures(before);
    }
  }

  emitBinary(): Uint8Array {
    const write = (): Uint8Array => this.#module.emitBinary();
    return this.#names.show(this.#standIns === undefined ? write() : this.#standIns.writeWithout(write));
  }

  emitText(): string {
    if (this.#standIns === undefined) return this.#module.emitText();
    const module = withoutPrinting(() => api.readBinary(this.emitBinary()));
    try {
      return module.emitText();
    } finally {
      module.dispose();
    }
  }

  /** Frees the memory Binaryen holds for this module. */
  dispose(): void {
    this.#module.dispose();
  }

  // --- Looking ---

  functions(): FunctionInfo[] {
    const count = api._BinaryenGetNumFunctions(this.#module.ptr);
    return Array.from({ length: count }, (_, index) =>
      this.#describe(asFunction(api._BinaryenGetFunctionByIndex(this.#module.ptr, index))),
    );
  }

  hasFunction(name: string): boolean {
    return this.#module.getFunction(name) !== 0;
  }

  /** Whether a function is imported, without a look at the others. */
  isImported(name: string): boolean {
    const ref = this.#module.getFunction(name);
    return ref !== 0 && api._BinaryenFunctionGetBody(ref) === 0;
  }

  definedFunctions(): FunctionInfo[] {
    return this.functions().filter((fn) => fn.imported === undefined);
  }

  #describe(ref: FunctionRef): FunctionInfo {
    const info = api.getFunctionInfo(ref);
    const imported = info.module ? { imported: { module: info.module, base: info.base ?? '' } } : {};
    return {
      ref,
      name: info.name,
      ...imported,
      params: asType(info.params),
      results: asType(info.results),
      originalIndex: this.#originalIndices?.get(info.name) ?? -1,
    };
  }

  globals(): GlobalInfo[] {
    return Array.from({ length: api._BinaryenGetNumGlobals(this.#module.ptr) }, (_, index) => {
      const info = api.getGlobalInfo(api._BinaryenGetGlobalByIndex(this.#module.ptr, index));
      return { name: info.name, type: asType(info.type), mutable: info.mutable, imported: Boolean(info.module) };
    });
  }

  exports(): ExportEntry[] {
    return Array.from({ length: api._BinaryenGetNumExports(this.#module.ptr) }, (_, index) => {
      const info = api.getExportInfo(api._BinaryenGetExportByIndex(this.#module.ptr, index));
      return { kind: exportKinds[info.kind] ?? 'tag', name: this.#names.outside(info.name), item: info.value };
    });
  }

  tables(): { readonly name: string; readonly imported: boolean; readonly type: Type }[] {
    return Array.from({ length: api._BinaryenGetNumTables(this.#module.ptr) }, (_, index) => {
      const ref = api._BinaryenGetTableByIndex(this.#module.ptr, index);
      const info = api.getTableInfo(ref);
      return { name: info.name, imported: Boolean(info.module), type: asType(rawFunction('TableGetType')(ref)) };
    });
  }

  /** Whether somebody outside can put functions into a table. */
  tablesAreOpen(): boolean {
    return this.tables().some(({ imported }) => imported) || this.exports().some(({ kind }) => kind === 'table');
  }

  /** Whether anything may be thrown or caught; when it was read, that is known. */
  get usesExceptions(): boolean {
    return (this.#module.getFeatures() & api.Features.ExceptionHandling) !== 0;
  }

  /** A tag by its name. */
  tag(name: string): number {
    return this.#module.getTag(name);
  }

  /** Whether somebody outside can give the module references to functions. */
  takesFunctions(): boolean {
    const carries = (type: Type): boolean => typeParts(type).includes(funcref);
    const functions = this.functions();
    const exported = new Set(this.exports().flatMap(({ kind, item }) => (kind === 'function' ? [item] : [])));
    return (
      functions.some(({ imported, results }) => imported !== undefined && carries(results)) ||
      functions.some(({ name, params }) => exported.has(name) && carries(params)) ||
      this.globals().some(({ type, imported, mutable }) => carries(type) && (imported || mutable)) ||
      this.tablesAreOpen()
    );
  }

  /** Initial values of globals, and where active element segments begin. */
  constantExpressions(): Expr[] {
    const globals = Array.from({ length: api._BinaryenGetNumGlobals(this.#module.ptr) }, (_, index) =>
      api._BinaryenGetGlobalByIndex(this.#module.ptr, index),
    );
    const inits = globals.filter((ref) => !api.getGlobalInfo(ref).module).map(rawFunction('GlobalGetInitExpr'));
    return [...inits.map(asExpr), ...this.elements.offsets()];
  }

  /** Names of the data segments, in index order. */
  dataSegments(): string[] {
    return Array.from({ length: api._BinaryenGetNumDataSegments(this.#module.ptr) }, (_, index) =>
      dataSegmentName(this.#module, this.#module.getDataSegmentByIndex(index)),
    );
  }

  /** Whether there are data or element segments that are not copied when the module is instantiated. */
  hasPassiveSegments(): boolean {
    const data = Array.from({ length: api._BinaryenGetNumDataSegments(this.#module.ptr) }, (_, index) =>
      rawFunction('GetDataSegmentPassive')(api._BinaryenGetDataSegmentByIndex(this.#module.ptr, index)),
    );
    return data.some((passive) => passive !== 0) || this.elements.somePassive;
  }

  /** Names of all that is imported, of any kind. */
  get imports(): BinaryFacts['imports'] {
    return this.#facts.imports;
  }

  /** Names of all that is exported, as the host has to write them. */
  get exportNames(): readonly string[] {
    return this.#facts.exports;
  }

  /** Whether a table has 64-bit addresses. */
  get tableIs64(): boolean {
    return this.#facts.hasTable64;
  }

  body(fn: FunctionInfo): Expr {
    return api._BinaryenFunctionGetBody(fn.ref) as Expr;
  }

  setBody(fn: FunctionInfo, body: Expr): void {
    api._BinaryenFunctionSetBody(fn.ref, body);
  }

  /** Types of all locals of a function, parameters first. */
  localTypes(fn: FunctionInfo): Type[] {
    const params = api.expandType(fn.params).map(asType);
    const vars = api._BinaryenFunctionGetNumVars(fn.ref);
    for (let index = 0; index < vars; index++) params.push(asType(api._BinaryenFunctionGetVar(fn.ref, index)));
    return params;
  }

  localName(fn: FunctionInfo, index: number): string {
    return api.Function.hasLocalName(fn.ref, index) ? api.Function.getLocalName(fn.ref, index) : `$${index}`;
  }

  addLocal(fn: FunctionInfo, type: Type): number {
    return api._BinaryenFunctionAddVar(fn.ref, type);
  }

  /** What evaluating an expression does besides giving a value: bits of {@link effects} and others of Binaryen's. */
  effectsOf(expr: Expr): number {
    return api._BinaryenExpressionGetSideEffects(expr, this.#module.ptr);
  }

  /** A copy with the same labels; relabel.ts gives it others. */
  copyExpression(expr: Expr): Expr {
    return asExpr(this.#module.copyExpression(expr));
  }

  /** The constant offset of a memory access other than a plain load or store. */
  offsetOf(expr: Expr): number {
    return rawFunction(`${kindOf(expr)}GetOffset`)(expr);
  }

  // --- Adding ---

  addFunction(name: string, params: Type, results: Type, vars: readonly Type[], body: Expr): FunctionInfo {
    return this.#describe(asFunction(this.#module.addFunction(name, params, results, vars, body)));
  }

  addFunctionImport(name: string, from: { module: string; base: string }, params: Type, results: Type): void {
    this.#module.addFunctionImport(name, from.module, from.base, params, results);
  }

  removeFunction(name: string): void {
    this.#module.removeFunction(name);
  }

  /** Adds an empty table that can grow. */
  addTable(name: string, type: Type): void {
    // Its declaration lacks the type.
    Reflect.apply(this.#module.addTable, this.#module, [name, 0, -1, type]);
  }

  /** Adds a mutable global. */
  addGlobal(name: string, type: Type, initial: Expr): void {
    this.#module.addGlobal(name, type, true, initial);
  }

  exportFunction(item: string, name: string): void {
    this.#module.addFunctionExport(item, name);
  }

  exportTable(item: string, name: string): void {
    this.#module.addTableExport(item, name);
  }

  exportMemory(item: string, name: string): void {
    this.#module.addMemoryExport(item, name);
  }

  /** Takes the start section away and returns the function it named. */
  takeStart(): string | undefined {
    const start = this.#module.getStart();
    if (start === 0) return undefined;
    const { name } = api.getFunctionInfo(start);
    // Binaryen has no way to remove a start section: it gets one that does nothing.
    const nothing = this.#module.addFunction('mvvm.nothing', none, none, [], this.make.nop());
    this.#module.setStart(nothing);
    return name;
  }
}
