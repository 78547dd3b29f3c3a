/** What can be asked of the build steps: what `compile` can be asked, and where results are kept. */

import type { CompileOptions } from '../options.js';

/** Options of a compile that make sense in a build. */
export type StepOptions = Pick<
  CompileOptions,
  'policies' | 'thresholdBits' | 'optLevel' | 'sizeLevel' | 'twinBudget' | 'wasmOpt' | 'profile'
> & {
  /**
   * The folder that keeps what was compiled, by content; `false`: none. Default: `node_modules/.cache/mvvmc` beside the
   * nearest package.json.
   */
  readonly cache?: string | false;
};

/** Options of the bundlers' plugins. */
export interface PluginOptions extends StepOptions {
  /**
   * How a module that is imported with `?mvvm` comes to the program:
   * - `inline` (default): inside the script. One file less, a third larger, and the same everywhere
   * - `file`: a file of its own beside the scripts, fetched (in Node: read) when the script is loaded
   */
  readonly delivery?: 'inline' | 'file';
  /** Whether to compile the wasm files that the bundle emits otherwise, from `new URL('x.wasm', import.meta.url)` for example. Default: false. */
  readonly emitted?: boolean;
}

/** Takes a plugin's options apart. */
export function stepOptions({ delivery: _how, emitted: _whether, ...step }: PluginOptions): StepOptions {
  return step;
}
