/** The contract between compiled modules and the runtime. Passes and runtime import this folder and nothing of each other. */

export * from './bytes.js';
export * from './host-calls.js';
export * from './module-info.js';
export * from './names.js';
export * from './points.js';
export * from './stable-map.js';
