#!/usr/bin/env node
/** The command `mvvm`. What it does is in mvvm/main.ts. */

import { heedBranchHints } from '../../runtime/node/index.js';
import { main } from './mvvm/main.js';

heedBranchHints();
// Node 24 and 26 end while the engine compiles everything ahead (--no-wasm-lazy-compilation) and nothing else is due.
setInterval(() => {}, 2 ** 30);
process.exit(await main(process.argv.slice(2)));
