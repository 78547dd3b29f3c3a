/** `mvvmc/rollup`: the build step for Rollup. */

import type { Plugin } from 'rollup';
import type { PluginOptions } from './options.js';
import { plugin } from './plugin.js';

export type { PluginOptions } from './options.js';

/** Compiles what is imported as `x.wasm?mvvm`, for Rollup. */
const mvvmc: (options?: PluginOptions) => Plugin = plugin.rollup;
export default mvvmc;
