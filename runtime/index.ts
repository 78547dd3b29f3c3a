/**
 * Runs, freezes and continues programs that `mvvmc` has compiled, in any JavaScript engine.
 *
 *     const program = await loadProgram(bytes);
 *     const guest = startGuest(program, { system: wasiSystem({ args: ['bc', '-g10'] }) });
 *     const outcome = guest.run({ atPoint: 100_000 });
 *     if (outcome.kind === 'checkpointed') for (const chunk of encodeSnapshot(outcome.snapshot)) store(chunk);
 *
 * and on another machine, in another engine:
 *
 *     const guest = restoreGuest(program, (into) => decodeSnapshot(stored, into), { system: wasiSystem() });
 *     guest.run();
 *
 * `Guest.run` occupies its thread; run it in a worker to keep a page or a server responsive (`mvvmc/runtime/node` has
 * `runInWorker` for Node).
 */

export * from './engine/index.js';
export * from './snapshot/index.js';
export * from './wasi/index.js';
