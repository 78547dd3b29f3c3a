#!/usr/bin/env node
/** The command `mvvm`. What it does is in mvvm/main.ts. */

import { main } from './mvvm/main.js';

process.exit(await main(process.argv.slice(2)));
