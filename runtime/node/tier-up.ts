/** Whether the engine of this process makes code better while it runs: see runtime/engine/tier-up.ts. */

/**
 * False where V8 was told to compile everything as well as it can at once, or never better than at first. Frames that left
 * and came back would gain nothing then.
 */
export function engineTiersUp(): boolean {
  // Node takes none of these flags from NODE_OPTIONS.
  return !process.execArgv.some((flag) => /^--(no[-_]?liftoff|liftoff[-_]only|no[-_]?wasm[-_]tier[-_]up)$/.test(flag));
}
