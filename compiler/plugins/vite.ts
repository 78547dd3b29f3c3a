/** `mvvmc/vite`: the build step for Vite. */

import type { Plugin } from 'vite';
import type { PluginOptions } from './options.js';
import { plugin } from './plugin.js';

export type { PluginOptions } from './options.js';

/** Compiles what is imported as `x.wasm?mvvm`, for Vite. */
const mvvmc: (options?: PluginOptions) => Plugin = plugin.vite;
export default mvvmc;
