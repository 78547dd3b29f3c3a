/** Runs the passes on a module. */

import type { StableMap } from '../runtime/abi/index.js';
import type { Diagnostic } from './diagnostics.js';
import { Marker } from './ir/marks.js';
import type { FunctionInfo, IrModule } from './ir/module.js';
import type { InstrumentOptions, Pass, PassContext } from './pass.js';
import { allPasses } from './registry.js';

export interface PassEvents {
  /** Called after each pass with the time it took. */
  onPass?(name: string, milliseconds: number, module: IrModule): void;
}

export interface InstrumentResult {
  readonly map: StableMap;
  /** Functions that were changed or added. */
  readonly changed: readonly FunctionInfo[];
  readonly warnings: readonly Diagnostic[];
}

/**
 * Instruments `module` in place. Does not write the custom sections.
 * @throws {CompileError} for a module that cannot be instrumented
 */
export function instrument(module: IrModule, options: InstrumentOptions, events: PassEvents = {}): InstrumentResult {
  const context: PassContext = { module, options, marker: new Marker(module), warnings: [], changed: new Set() };
  for (const pass of allPasses) {
    if (!isWanted(pass, options)) continue;
    const started = performance.now();
    pass.run(context);
    events.onPass?.(pass.name, performance.now() - started, module);
  }
  if (context.map === undefined) throw new Error('no pass made the stable map');
  const changed = module
    .definedFunctions()
    .filter(({ name, originalIndex }) => originalIndex < 0 || context.changed.has(name));
  return { map: context.map, changed, warnings: context.warnings };
}

/** A pass with a flag runs when its policy is chosen or its input is given; the others run always. */
function isWanted(pass: Pass, options: InstrumentOptions): boolean {
  if (pass.flag === undefined) return true;
  return pass.name === 'checkpoint-pgo' || options.policies.some((policy) => policy === pass.name);
}

// Every engine has it, but no ECMAScript library that this layer is compiled against declares it.
declare const performance: { now(): number };
