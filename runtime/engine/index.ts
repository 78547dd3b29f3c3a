/** The engine: loads compiled modules, runs them, stops them and continues them. */

export type { WasmValue } from './entry.js';
export { badDirectory, type Diagnostic, EngineError, type EngineErrorCode } from './errors.js';
export { Guest } from './guest.js';
export type { LookingInputStream } from './input-taken.js';
export type { ReadInto, SnapshotReader } from './opening.js';
export type { GuestStatistics, Outcome } from './outcome.js';
export { type PlainGuest, startPlain } from './plain.js';
export { type PointProfile, PointProfiler } from './point-profiler.js';
export type { StopConditions } from './poll-control.js';
export { compileModule, findFunction, loadProgram, openProgram, type Program } from './program.js';
export type { HostReferences } from './references.js';
export { type GuestOptions, restoreGuest, type StartOptions, startGuest } from './start.js';
export { noSystem, type System, type SystemFactory, type SystemHooks } from './system.js';
export { readSavedSystem, type SavedSystem, type WasiSetUp, wasiSystem } from './wasi-system.js';
