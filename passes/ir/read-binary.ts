/** Reading modules with Binaryen, whatever tool wrote them. */

import { type Diagnostic, refuse } from '../diagnostics.js';
import { api, withoutPrinting } from './binaryen.js';
import { namesAreUsable, withoutNames } from './name-section.js';

/** wabt for one gives the names of tags another number than Binaryen knows, and Binaryen refuses the module for it. */
export function readWithOrWithoutNames(bytes: Uint8Array): {
  readonly module: InstanceType<typeof api.Module>;
  /** What was read. */
  readonly source: Uint8Array;
} {
  if (!namesAreUsable(bytes)) {
    const source = withoutNames(bytes) ?? bytes;
    return { module: api.readBinary(source), source };
  }
  try {
    return { module: api.readBinary(bytes), source: bytes };
  } catch (error) {
    const source = withoutNames(bytes);
    if (source === undefined) throw error;
    return { module: api.readBinary(source), source };
  }
}

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
    refuse(explain(reasonOf(error)));
  }
}

function reasonOf(error: unknown): string {
  // What Binaryen throws is no Error, but has a message.
  const message: unknown = typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : error;
  const text = String(message ?? '');
  return text.replace(/\s+/g, ' ').trim() || 'no reason given';
}
