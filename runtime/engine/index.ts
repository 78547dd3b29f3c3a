/** The engine: loads compiled modules, runs them, stops them and continues them. */

export type { WasmValue } from './entry.js';
export { type Diagnostic, EngineError, type EngineErrorCode } from './errors.js';
export { readStack, type SavedFrame, type SavedStack, type SavedValue } from './frames.js';
export { Guest, type GuestStatistics, type Outcome } from './guest.js';
export type { StopConditions } from './poll-control.js';
export { loadProgram, type Program } from './program.js';
export { type GuestOptions, restoreGuest, type StartOptions, startGuest } from './start.js';
export { noSystem, type System, type SystemFactory, type SystemHooks } from './system.js';
