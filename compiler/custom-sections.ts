/**
 * Custom sections as bytes. Binaryen could add them, but copies them to its stack, where the stable map of a large program
 * does not fit.
 */

import { joinBytes, sectionIds } from '../passes/index.js';
import { ByteWriter } from '../runtime/abi/index.js';

/** A section as it stands in a module. */
export function makeCustomSection(name: string, content: Uint8Array): Uint8Array {
  const body = new ByteWriter().text(name).bytes(content).finish();
  return new ByteWriter().u8(sectionIds.custom).u32(body.length).bytes(body).finish();
}

/** `wasm` with `sections` inserted before its `at`-th byte, which is where a section begins or the module ends. */
export function insertSections(wasm: Uint8Array, at: number, sections: readonly Uint8Array[]): Uint8Array {
  return joinBytes([wasm.subarray(0, at), ...sections, wasm.subarray(at)]);
}
