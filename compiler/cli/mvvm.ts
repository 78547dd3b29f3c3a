#!/usr/bin/env node
/** The command `mvvm`. What it does is in mvvm/main.ts. */

import { heedBranchHints } from '../../runtime/node/index.js';
import { main } from './mvvm/main.js';

heedBranchHints();
process.exit(await main(process.argv.slice(2)));
