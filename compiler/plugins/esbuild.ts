/** `mvvmc/esbuild`: the build step for esbuild. */

import type { Plugin } from 'esbuild';
import type { PluginOptions } from './options.js';
import { plugin } from './plugin.js';

export type { PluginOptions } from './options.js';

/** Compiles what is imported as `x.wasm?mvvm`, for esbuild. */
const mvvmc: (options?: PluginOptions) => Plugin = plugin.esbuild;
export default mvvmc;
