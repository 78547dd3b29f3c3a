/** Reading modules with Binaryen, whatever tool wrote them. */

import { type Diagnostic, refuse } from '../diagnostics.js';
import { api, type BinaryenModule, failureText, withoutPrinting } from './binaryen.js';
import { emptyDeclaredSegments } from './declared-segments.js';
import { namesAreUsable, withoutNames } from './name-section.js';

export interface ReadModule {
  readonly module: BinaryenModule;
  /** What was read. */
  readonly source: Uint8Array;
}

/**
 * Reads a module as it is, or else without what Binaryen cannot read: names (wabt for one gives those of tags another number
 * than Binaryen knows), and instructions that name segments which only declare.
 */
export function readBinary(bytes: Uint8Array): ReadModule {
  const source = namesAreUsable(bytes) ? bytes : (withoutNames(bytes) ?? bytes);
  let failure: unknown;
  for (const change of [asItIs, withoutNames, emptyDeclaredSegments]) {
    try {
      const changed = change(source);
      if (changed !== undefined) return { module: api.readBinary(changed), source: changed };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

const asItIs = (bytes: Uint8Array): Uint8Array => bytes;

/**
 * What Binaryen warns of while it reads (names of things that are not there) is nobody's concern here.
 * @param explain what to say, given Binaryen's reason
 */
export function readable<T>(read: () => T, explain: (reason: string) => Diagnostic): T {
  // Names of functions and locals are what people see in stack traces of snapshots. The setting is process-wide.
  api.setDebugInfo(true);
  try {
    return withoutPrinting(read);
  } catch (error) {
    refuse(explain(failureText(error)));
  }
}
