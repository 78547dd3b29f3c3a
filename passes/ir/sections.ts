/** The sections of a binary module, as bytes. */

import { ByteReader, ByteWriter } from '../../runtime/abi/index.js';

export interface Section {
  readonly id: number;
  readonly content: Uint8Array;
}

/** A section that was read. */
export interface FoundSection extends Section {
  /** Where it begins, in bytes from the begin of the module. */
  readonly start: number;
}

export const sectionIds = {
  custom: 0,
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  export: 7,
  element: 9,
  code: 10,
  tag: 13,
} as const;

const header = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

/**
 * Reads as far as it is asked to.
 * @throws {MalformedBytes}
 */
export function* eachSection(module: Uint8Array): Generator<FoundSection> {
  const reader = new ByteReader(module.subarray(header.length));
  while (reader.left > 0) {
    yield { start: module.length - reader.left, id: reader.u8(), content: reader.bytes(reader.u32()) };
  }
}

/** @throws {MalformedBytes} */
export function readSections(module: Uint8Array): Section[] {
  return [...eachSection(module)];
}

export function writeSections(sections: readonly Section[]): Uint8Array {
  const parts = sections.flatMap(({ id, content }) => [new ByteWriter().u8(id).u32(content.length).finish(), content]);
  return joinBytes([header, ...parts]);
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}
