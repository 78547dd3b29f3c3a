/**
 * The compiler as a library.
 *
 * ```ts
 * import { readFileSync, writeFileSync } from 'node:fs';
 * import { compile } from 'mvvmc';
 *
 * const { wasm, report } = compile(readFileSync('bc.wasm'), { policies: ['counter-loop-checkpoint'] });
 * writeFileSync('bc.mvvm.wasm', wasm);
 * console.log(`${report.points.total} stable points`);
 * ```
 */

export { CompileError, type Diagnostic, type PassInfo, type Profile, passes } from '../passes/index.js';
export {
  type ModuleInfo,
  type Policy,
  policies,
  type StableMap,
} from '../runtime/abi/index.js';
export { type CompileResult, compile } from './compile.js';
export type { CompileOptions, Level } from './options.js';
export type { FunctionReport, ModuleSize, PointCounts, Report } from './report.js';
export type { CompileEvents, Timing } from './stages.js';
export { binaryenVersion, compilerVersion } from './versions.js';
