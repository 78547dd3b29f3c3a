#!/usr/bin/env node
/** The command `mvvmc`. What it does is in mvvmc/run.ts. */

import { setFlagsFromString } from 'node:v8';

// Binaryen is a wasm module of 11 MB. In a run of seconds, optimising its functions as early as Node 20 does takes more
// processor time than their faster code saves; newer versions of V8 wait longer themselves.
setFlagsFromString('--wasm-tiering-budget=1000000000');

// Behind the flag: what is imported statically is loaded before it.
const { run } = await import('./mvvmc/run.js');

process.exitCode = await run(process.argv.slice(2));
