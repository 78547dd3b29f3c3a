/**
 * Runs a module that mvvmc has not touched, on the same host: the truth that a compiled module is compared with. It
 * cannot be stopped.
 */

import { Abort } from './abort.js';
import { COMMAND_ENTRY, findEntry, functionExport, listResults, makeArguments, REACTOR_SETUP } from './entry.js';
import { EngineError, notSavable } from './errors.js';
import { linkImports } from './linking.js';
import type { Outcome } from './outcome.js';
import { readExports } from './read-exports.js';
import type { StartOptions } from './start.js';
import { noSystem } from './system.js';

/** An un-instrumented program, instantiated; a start section has run. */
export interface PlainGuest {
  readonly exports: WebAssembly.Exports;
  run(): Exclude<Outcome, { kind: 'checkpointed' }>;
}

/**
 * Instantiates a plain module.
 *
 * @param bytes the module, of which the engine tells no types
 * @throws {EngineError} `unknown-import`, `no-such-function`, `unsupported-entry` or `wrong-arguments`
 */
export function startPlain(module: WebAssembly.Module, bytes: Uint8Array, options: StartOptions = {}): PlainGuest {
  const { entry: name = COMMAND_ENTRY, entryArguments = [], system = noSystem, imports = {} } = options;
  const entry = findEntry(readExports(bytes), module, name);
  const args = makeArguments(entry, entryArguments);
  const abort = new Abort();
  const host = system(
    {
      requested: () => false,
      canLeave: () => false,
      leave: () => {
        throw new EngineError(notSavable('the module was not compiled by mvvmc'));
      },
      exit: (status) => abort.throw({ kind: 'exit', status }),
    },
    undefined,
  );
  const instance = new WebAssembly.Instance(module, linkImports(module, [imports, host.imports]));
  const memory = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory);
  if (memory instanceof WebAssembly.Memory) host.attach(memory);
  const setsUp = name !== COMMAND_ENTRY && name !== REACTOR_SETUP && instance.exports[REACTOR_SETUP] !== undefined;
  return {
    exports: instance.exports,
    run() {
      try {
        if (setsUp) functionExport(instance.exports, REACTOR_SETUP)();
        const returned = functionExport(instance.exports, name)(...args);
        return { kind: 'finished', results: listResults(entry, returned), exitStatus: 0 };
      } catch (error) {
        const reason = abort.take();
        if (reason?.kind === 'exit') return { kind: 'finished', results: [], exitStatus: reason.status };
        return { kind: 'trapped', error: reason === undefined ? error : reason.error };
      } finally {
        host.close();
      }
    },
  };
}
