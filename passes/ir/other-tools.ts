/** What other tools and hosts have done or would do to a module, told from its imports and exports. */

import { refuse, unsupportedModule } from '../diagnostics.js';
import type { ImportName } from './binary-facts.js';
import type { ExportEntry } from './module.js';

/** Imports that start threads: of wasi-threads, and of emscripten's pthreads. */
const threadStarters: readonly ImportName[] = [
  { module: 'wasi', base: 'thread-spawn' },
  { module: 'env', base: '__pthread_create_js' },
  { module: 'env', base: 'pthread_create' },
];

const asyncifyExports: readonly string[] = ['asyncify_start_unwind', 'asyncify_start_rewind', 'asyncify_get_state'];

/**
 * @throws {CompileError} `unsupported/module` for modules that start threads, and for those that Asyncify has rewritten: its
 *   frames are in the module's memory, and it would unwind through ours
 */
export function refuseOtherAgents(imports: readonly ImportName[], exports: readonly ExportEntry[]): void {
  const starter = imports.find(({ module, base }) =>
    threadStarters.some((known) => known.module === module && known.base === base),
  );
  if (starter !== undefined) {
    refuse(unsupportedModule(`a module that starts threads (import "${starter.module}.${starter.base}")`));
  }
  const rewritten =
    imports.some(({ module }) => module === 'asyncify') ||
    exports.some(({ kind, name }) => kind === 'function' && asyncifyExports.includes(name));
  if (rewritten) refuse(unsupportedModule('a module that Asyncify has rewritten'));
}
