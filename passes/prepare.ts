/**
 * Brings a module into the form that the other passes take for granted: no unreachable operands, no code after a branch,
 * and in each `catch` what was caught goes to a local first.
 * Refuses names with the reserved prefix: a module that has them was compiled by us already, or clashes with us.
 */

import { RESERVED_PREFIX } from '../runtime/abi/index.js';
import { refuse, reservedName, unsupportedModule } from './diagnostics.js';
import { hoistPops } from './ir/exceptions.js';
import { isOpaque } from './ir/expressions.js';
import type { IrModule } from './ir/module.js';
import { refuseOtherAgents } from './ir/other-tools.js';
import { keepFramesOfHostCalls } from './ir/tail-calls.js';
import { some } from './ir/walk.js';
import type { Pass } from './pass.js';

export const prepare: Pass = {
  name: 'prepare',
  stage: 'analysis',
  description: 'refuses names that clash with ours, and removes dead code',
  documentation:
    'Refuses a module that uses names with the reserved prefix `mvvm`, and removes code that cannot be reached.',
  run({ module, options, changed }) {
    refuseReservedNames(module);
    refuseOtherAgents(module.imports, module.exports());
    // Dirty bits stand for regions of one memory, found by shifting an address of 32 bits.
    if (options.policies.includes('loop-dirty-checkpoint')) {
      if (module.memories.areMany)
        refuse(unsupportedModule('more than one memory with the policy loop-dirty-checkpoint'));
      if (module.memories.some64) refuse(unsupportedModule('a 64-bit memory with the policy loop-dirty-checkpoint'));
    }
    module.runPasses(['dce']);
    keepFramesOfHostCalls(module);
    for (const fn of module.definedFunctions()) {
      if (hoistPops(module, fn, module.body(fn))) changed.add(fn.name);
      if (!some(module.body(fn), isOpaque)) continue;
      module.runPassesOn(fn, ['flatten']);
      changed.add(fn.name);
    }
  },
};

function refuseReservedNames(module: IrModule): void {
  const functions = module.functions().filter(({ name }) => !module.isStandIn(name));
  for (const imported of [...module.imports, ...functions.flatMap((fn) => fn.imported ?? [])]) {
    if (isReserved(imported.module)) refuse(reservedName('import', `${imported.module}.${imported.base}`));
  }
  for (const fn of functions) if (isReserved(fn.name)) refuse(reservedName('function', fn.name));
  for (const { name } of module.globals()) if (isReserved(name)) refuse(reservedName('global', name));
  for (const { kind, name } of module.exports()) if (isReserved(name)) refuse(reservedName(`exported ${kind}`, name));
}

/** `mvvm` itself, or anything in its name space. */
function isReserved(name: string): boolean {
  return name === RESERVED_PREFIX || name.startsWith(`${RESERVED_PREFIX}.`);
}
