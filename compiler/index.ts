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
// What the commands answer with --json, for programs that read it.
export type { HostFacts } from './cli/mvvm/doctor.js';
export type { SnapshotFacts } from './cli/mvvm/inspect-facts.js';
export type { VerifyFacts } from './cli/mvvm/snapshot-command.js';
export { type CompileResult, compile } from './compile.js';
export type { CompileOptions, Level } from './options.js';
export type { FunctionReport, ModuleSize, PointCounts, Report } from './report.js';
export type { CompileEvents, Timing } from './stages.js';
export { binaryenVersion, compilerVersion } from './versions.js';
