/**
 * How the engine is to run the compiler. It begins with slow code and optimises in the background what is busy, which pays
 * off in programs that run for minutes: a compile of seconds is over before the faster code has saved what making it took.
 */

import { statSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';

/** Bytes of a module up to which it takes less time when no function of Binaryen's, a wasm module of 10 MB, is optimised. */
const smallModule = 256 * 1024;

/** Of both flags: without the first alone, everything is optimised at once. */
const neverOptimise = ['--no-wasm-tier-up', '--no-wasm-dynamic-tiering'];

/** Hundreds of times later than Node 20 does it by itself. */
const optimiseLate = ['--wasm-tiering-budget=1000000000'];

/** Of our own code, three times later than Node 20 does it by itself. Newer versions do not know the flag, and say so. */
const optimiseScriptsLate = process.versions.node.startsWith('20.') ? ['--interrupt-budget=400000'] : [];

/** To be called before Binaryen is loaded. */
export function setEngineFlags(words: readonly string[]): void {
  const flags = [...optimiseScriptsLate, ...(words.every(isSmall) ? neverOptimise : optimiseLate)];
  for (const flag of flags) setFlagsFromString(flag);
}

/** Whether a word of the command line, if it names a file, names a small one. Standard input is not known to be. */
function isSmall(word: string): boolean {
  if (word === '-') return false;
  try {
    return (statSync(word, { throwIfNoEntry: false })?.size ?? 0) <= smallModule;
  } catch {
    // No name that a file could have.
    return true;
  }
}
