/** Versions of this package and of what it is made of, from its own package.json. */

import { readFileSync } from 'node:fs';
import * as z from 'zod';

// Compiled to dist/compiler/, so the package is two levels up.
const manifest = z
  .object({ version: z.string(), dependencies: z.object({ binaryen: z.string() }) })
  .parse(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')));

/** Version of the compiler, as in its package. */
export const compilerVersion: string = manifest.version;

/** Version of the Binaryen that comes with the compiler; the dependency is pinned, so that one is there. */
export const binaryenVersion: string = manifest.dependencies.binaryen;
