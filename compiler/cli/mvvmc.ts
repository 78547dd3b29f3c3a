#!/usr/bin/env node
/** The command `mvvmc`. What it does is in mvvmc/run.ts. */

import { run } from './mvvmc/run.js';

process.exitCode = await run(process.argv.slice(2));
