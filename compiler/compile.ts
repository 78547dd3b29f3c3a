/**
 * The driver: bytes of a module in, bytes of a module that can be stopped and continued out.
 *
 *   check -> optimise -> instrument -> clean up -> describe -> validate -> emit
 *
 * It knows the order and nothing else. The work is done by check-input.ts, optimiser/, passes/ and clean-up.ts.
 */

import { type Diagnostic, type IrModule, instrument, keepingStack } from '../passes/index.js';
import {
  ABI_VERSION,
  type ModuleInfo,
  type StableMap,
  sections,
  writeModuleInfo,
  writeStableMap,
} from '../runtime/abi/index.js';
import { addBranchHints } from './branch-hints.js';
import { checkInput } from './check-input.js';
import { cleanUp } from './clean-up.js';
import { insertSections, makeCustomSection } from './custom-sections.js';
import { chooseOptimiser } from './optimiser/index.js';
import { correctIndices } from './optimiser/original-indices.js';
import { type CompileOptions, resolveOptions, type Settings } from './options.js';
import { checkProfile } from './profile.js';
import { makeReport, type Report, sha256 } from './report.js';
import { type CompileEvents, roundToMicroseconds, Stages } from './stages.js';
import { compilerVersion } from './versions.js';

export interface CompileResult {
  /** The compiled module. */
  readonly wasm: Uint8Array;
  /** The same as text, when asked for. */
  readonly text?: string;
  /** Its stable points, as in its section `mvvm.map`. */
  readonly map: StableMap;
  /** Where it comes from, as in its section `mvvm.info`. */
  readonly info: ModuleInfo;
  readonly report: Report;
  /** Warnings; what is wrong enough to stop the compile is thrown. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Compiles a core WebAssembly module so that it can be stopped at its stable points and continued elsewhere. The same
 * module and options always give the same bytes.
 *
 * @throws {CompileError} for a module or an option that cannot be accepted; its `diagnostic` says what and why
 */
export function compile(bytes: Uint8Array, options: CompileOptions = {}, events: CompileEvents = {}): CompileResult {
  return keepingStack(() => compileModule(bytes, options, events));
}

function compileModule(bytes: Uint8Array, options: CompileOptions, events: CompileEvents): CompileResult {
  const start = performance.now();
  const settings = resolveOptions(options);
  checkInput(bytes);
  const optimiser = chooseOptimiser(settings);
  const info = describe(bytes, settings);
  checkProfile(settings.profile, info.original);
  const stages = new Stages(events, settings.verifyEach);

  const { module, originalIndices } = optimiser.load(bytes, stages);
  try {
    stages.begin('instrument');
    const { map: found, changed, warnings } = instrument(module, settings, stages);
    const map = originalIndices === undefined ? found : correctIndices(found, originalIndices);
    stages.timeOn(module, 'cleanup', () => cleanUp(module, changed));
    stages.time('validate', () => module.validate('cleanup'));
    const { wasm, text } = stages.time('emit', () => emit(module, map, info, settings));

    const milliseconds = roundToMicroseconds(performance.now() - start);
    const facts = { info, map, optimiser, originalBytes: bytes.length, wasm, passes: stages.timings, milliseconds };
    const report = makeReport(facts);
    return { wasm, ...(text === undefined ? {} : { text }), map, info, report, diagnostics: warnings };
  } finally {
    module.dispose();
  }
}

function describe(original: Uint8Array, { policies, thresholdBits }: Settings): ModuleInfo {
  return { abi: ABI_VERSION, compiler: compilerVersion, original: sha256(original), policies, thresholdBits };
}

function emit(
  module: IrModule,
  map: StableMap,
  info: ModuleInfo,
  settings: Settings,
): { wasm: Uint8Array; text: string | undefined } {
  const code = addBranchHints(module.emitBinary());
  const wasm = insertSections(code, code.length, [
    makeCustomSection(sections.map, writeStableMap(map)),
    makeCustomSection(sections.info, writeModuleInfo(info)),
  ]);
  return { wasm, text: settings.text ? module.emitText() : undefined };
}
