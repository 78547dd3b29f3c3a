/**
 * Element segments that only declare which functions may be referred to. Binaryen leaves them out when it reads a module
 * (it finds out by itself what has to be declared), and then refuses instructions that name one.
 */

import { ByteReader, ByteWriter } from '../../runtime/abi/index.js';
import { skipExpression, skipType } from './instruction-reader.js';
import { joinBytes, readSections, sectionIds, writeSections } from './sections.js';

/**
 * The same module with empty passive segments in their place: for `table.init` and `elem.drop` a declared segment is one
 * that was dropped when the module was instantiated, and that has no elements any more.
 * @throws {MalformedBytes}
 */
export function emptyDeclaredSegments(module: Uint8Array): Uint8Array {
  const sections = readSections(module).map((section) => {
    if (section.id !== sectionIds.element) return section;
    const reader = new ByteReader(section.content);
    const segments = reader.list(() => readSegment(reader));
    return { id: section.id, content: joinBytes([new ByteWriter().u32(segments.length).finish(), ...segments]) };
  });
  return writeSections(sections);
}

/** Bits of what a segment begins with. */
const notActive = 1;
const declaredOrWithTable = 2;
const ofExpressions = 4;
const declared = notActive | declaredOrWithTable;

/** The bytes of a segment; of an empty passive one if it only declares. */
function readSegment(reader: ByteReader): Uint8Array {
  const whole = reader.rest();
  const kind = reader.u32();
  if ((kind & notActive) === 0) {
    if ((kind & declaredOrWithTable) !== 0) reader.u32();
    skipExpression(reader);
  }
  const type = reader.rest();
  const before = reader.left;
  if ((kind & declared) !== 0) skipType(reader);
  const typeBytes = type.subarray(0, before - reader.left);
  for (let count = reader.count(); count > 0; count--) {
    if ((kind & ofExpressions) === 0) reader.u32();
    else skipExpression(reader);
  }
  if ((kind & declared) !== declared) return whole.subarray(0, whole.length - reader.left);
  return joinBytes([new ByteWriter().u32(kind & ~declaredOrWithTable).finish(), typeBytes, Uint8Array.of(0)]);
}
