/** The one fact that Binaryen reads and does not tell: the name of a memory. */

import { ByteReader } from '../../runtime/abi/index.js';

const headerSize = 8;
const customSection = 0;
const memoryNames = 6;

/** The name that the module's name section gives its first memory, or undefined. Damaged sections count as absent. */
export function readMemoryName(bytes: Uint8Array): string | undefined {
  try {
    const module = new ByteReader(bytes);
    module.bytes(headerSize);
    while (module.left > 0) {
      const id = module.u8();
      const section = new ByteReader(module.bytes(module.u32()));
      if (id !== customSection || section.text() !== 'name') continue;
      while (section.left > 0) {
        const kind = section.u8();
        const names = new ByteReader(section.bytes(section.u32()));
        if (kind !== memoryNames) continue;
        const entries = names.list(() => ({ index: names.u32(), name: names.text() }), 2);
        return entries.find(({ index }) => index === 0)?.name;
      }
    }
  } catch {
    return undefined;
  }
  return undefined;
}
