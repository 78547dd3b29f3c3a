#!/usr/bin/env node
/** The command `mvvmc`. What it does is in mvvmc/run.ts. */

import { setEngineFlags } from './mvvmc/engine-flags.js';

const words = process.argv.slice(2);
setEngineFlags(words);

// Behind the flags: what is imported statically is loaded before them.
const { run } = await import('./mvvmc/run.js');

process.exitCode = await run(words);
