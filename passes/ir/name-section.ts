/** The name section, which tools write in more ways than Binaryen reads. */

import { ByteReader, MalformedBytes } from '../../runtime/abi/index.js';

const headerSize = 8;
const customSection = 0;

/** The same module without its name section; undefined when it has none. Names mean nothing to a program. */
export function withoutNames(bytes: Uint8Array): Uint8Array | undefined {
  const kept: Uint8Array[] = [bytes.subarray(0, headerSize)];
  const reader = new ByteReader(bytes.subarray(headerSize));
  let found = false;
  try {
    while (reader.left > 0) {
      const start = bytes.length - reader.left;
      const id = reader.u8();
      const content = new ByteReader(reader.bytes(reader.u32()));
      if (id === customSection && content.text() === 'name') found = true;
      else kept.push(bytes.subarray(start, bytes.length - reader.left));
    }
  } catch (error) {
    if (error instanceof MalformedBytes) return undefined;
    throw error;
  }
  if (!found) return undefined;
  const rest = new Uint8Array(kept.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of kept) {
    rest.set(part, at);
    at += part.length;
  }
  return rest;
}

/** The parts that name things within things: locals, labels, fields. Part 0 names the module, the others name things. */
const nestedParts: readonly number[] = [2, 3, 10];
const modulePart = 0;

/**
 * Whether all names can be told by Binaryen's interface, which takes a NUL for the end of a name: two things would have
 * one name then, or a thing a name that nothing has. False also where they cannot be read.
 */
export function namesAreUsable(bytes: Uint8Array): boolean {
  const module = new ByteReader(bytes.subarray(headerSize));
  try {
    while (module.left > 0) {
      const id = module.u8();
      const section = new ByteReader(module.bytes(module.u32()));
      if (id === customSection && section.text() === 'name') checkNames(section);
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
