/** The name section, which tools write in more ways than Binaryen reads. */

import { ByteReader, MalformedBytes } from '../../runtime/abi/index.js';
import { readSections, type Section, sectionIds, writeSections } from './sections.js';

/** The same module without its name section; undefined when it has none. Names mean nothing to a program. */
export function withoutNames(bytes: Uint8Array): Uint8Array | undefined {
  try {
    const sections = readSections(bytes);
    const kept = sections.filter((section) => !isNameSection(section));
    return kept.length === sections.length ? undefined : writeSections(kept);
  } catch (error) {
    if (error instanceof MalformedBytes) return undefined;
    throw error;
  }
}

const isNameSection = ({ id, content }: Section): boolean =>
  id === sectionIds.custom && new ByteReader(content).text() === 'name';

/** The parts that name things within things: locals, labels, fields. Part 0 names the module, the others name things. */
const nestedParts: readonly number[] = [2, 3, 10];
const modulePart = 0;

/**
 * Whether all names can be told by Binaryen's interface, which takes a NUL for the end of a name: two things would have
 * one name then, or a thing a name that nothing has. False also where they cannot be read.
 */
export function namesAreUsable(bytes: Uint8Array): boolean {
  try {
    for (const { id, content } of readSections(bytes)) {
      const section = new ByteReader(content);
      if (id === sectionIds.custom && section.text() === 'name') checkNames(section);
    }
    return true;
  } catch (error) {
    if (error instanceof MalformedBytes) return false;
    throw error;
  }
}

/** @throws {MalformedBytes} */
function checkNames(section: ByteReader): void {
  while (section.left > 0) {
    const kind = section.u8();
    const part = new ByteReader(section.bytes(section.u32()));
    if (kind === modulePart) checkName(part);
    else
      checkEntries(part, () =>
        nestedParts.includes(kind) ? checkEntries(part, () => checkName(part)) : checkName(part),
      );
    part.end();
  }
}

function checkEntries(part: ByteReader, checkValue: () => void): void {
  for (let left = part.count(2); left > 0; left--) {
    part.u32();
    checkValue();
  }
}

function checkName(part: ByteReader): void {
  if (part.bytes(part.u32()).includes(0)) throw new MalformedBytes('has a name with a NUL');
}
