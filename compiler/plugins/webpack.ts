/** `mvvmc/webpack`: the build step for webpack. */

import type { WebpackPluginInstance } from 'webpack';
import type { PluginOptions } from './options.js';
import { plugin } from './plugin.js';

export type { PluginOptions } from './options.js';

/** Compiles what is imported as `x.wasm?mvvm`, for webpack. */
const mvvmc: (options?: PluginOptions) => WebpackPluginInstance = plugin.webpack;
export default mvvmc;
