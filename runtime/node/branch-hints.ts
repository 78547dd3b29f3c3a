/** Branch hints, which compiled modules carry: V8 knows them by default from Node 26 on, and before when it is told to. */

import { setFlagsFromString } from 'node:v8';

/**
 * Makes this process's engine heed the branch hints of modules that are compiled from now on, in all threads. Does nothing
 * where the engine heeds them anyway, or is not that of Node.
 */
export function heedBranchHints(): void {
  const { bun, deno, node } = process.versions;
  const major = Number(node.split('.')[0]);
  if (bun === undefined && deno === undefined && major < 26) setFlagsFromString('--experimental-wasm-branch-hinting');
}
