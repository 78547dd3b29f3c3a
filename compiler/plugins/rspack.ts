/** `mvvmc/rspack`: the build step for Rspack. */

import type { RspackPluginInstance } from '@rspack/core';
import type { PluginOptions } from './options.js';
import { plugin } from './plugin.js';

export type { PluginOptions } from './options.js';

/** Compiles what is imported as `x.wasm?mvvm`, for Rspack. */
const mvvmc: (options?: PluginOptions) => RspackPluginInstance = plugin.rspack;
export default mvvmc;
