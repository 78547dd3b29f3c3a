/** The passes: what the compiler's driver needs of them. */

export { CompileError, type Diagnostic, refuse } from './diagnostics.js';
export { importKinds, readImports } from './ir/binary-facts.js';
export { keepingStack } from './ir/binaryen.js';
export { type Instruction, opcodes, readInstructions } from './ir/instruction-reader.js';
export { type FunctionInfo, IrModule, type OptimiseLevels } from './ir/module.js';
export { eachSection, joinBytes, sectionIds } from './ir/sections.js';
export { hasAtMost } from './ir/walk.js';
export { slowPath } from './lowering/support-names.js';
export type { InstrumentOptions, PassInfo, Profile } from './pass.js';
export { type InstrumentResult, instrument, type PassEvents } from './pipeline.js';

import type { PassInfo } from './pass.js';
import { allPasses } from './registry.js';

/** All passes in the order in which they run: registry, help text, documentation and test target. */
export const passes: readonly PassInfo[] = allPasses;
