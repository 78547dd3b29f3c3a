import { describe, expect, test } from '@jest/globals';
import { assemble } from '../../fixtures/passes/wat-module.js';
import { ByteWriter } from '../../runtime/abi/index.js';
import { readBinaryFacts } from './binary-facts.js';

const header = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
const memoryNames = 6;
const empty = new Uint8Array();

interface CustomSection {
  readonly name: string;
  readonly content: Uint8Array;
}

function moduleWith(...sections: CustomSection[]): Uint8Array {
  const out = new ByteWriter().bytes(header);
  for (const { name, content } of sections) {
    const section = new ByteWriter().text(name).bytes(content).finish();
    out.u8(0).u32(section.length).bytes(section);
  }
  return out.finish();
}

function subsection(kind: number, content: Uint8Array): Uint8Array {
  return new ByteWriter().u8(kind).u32(content.length).bytes(content).finish();
}

const nameSection = (content: Uint8Array): Uint8Array => moduleWith({ name: 'name', content });
const named = (index: number, name: string): Uint8Array =>
  subsection(memoryNames, new ByteWriter().u32(1).u32(index).text(name).finish());

describe('the name of the memory', () => {
  test('is in the name section', () => {
    expect(readBinaryFacts(assemble('(module (memory $heap 1) (func $f))')).memoryNames.get(0)).toBe('heap');
  });

  test('is found behind other sections and subsections', () => {
    const moduleName = subsection(0, new ByteWriter().text('m').finish());
    const content = new ByteWriter().bytes(moduleName).bytes(named(0, 'heap')).finish();
    const bytes = moduleWith({ name: 'producers', content: Uint8Array.of(0) }, { name: 'name', content });
    expect(readBinaryFacts(bytes).memoryNames.get(0)).toBe('heap');
  });

  test.each([
    ['only another memory has one', nameSection(named(1, 'other'))],
    ['there is no name section', header],
    ['there is nothing', empty],
    ['the section ends early', nameSection(Uint8Array.of(memoryNames, 9, 1, 0))],
    ['a count is too large', nameSection(subsection(memoryNames, Uint8Array.of(0x7f)))],
    ['it is not UTF-8', nameSection(subsection(memoryNames, Uint8Array.of(1, 0, 1, 0xff)))],
  ])('is unknown when %s', (_case, bytes) => {
    expect(readBinaryFacts(bytes).memoryNames.get(0)).toBe(undefined);
  });
});

describe('the number of memories', () => {
  test.each([
    ['none', '(module (func))', 0],
    ['one of its own', '(module (memory 1))', 1],
    ['one that is imported', '(module (import "e" "m" (memory 1 2)))', 1],
    [
      'one among imports of all kinds',
      `(module
        (import "e" "f" (func (param i32)))
        (import "e" "t" (table 1 2 funcref))
        (import "e" "g" (global (mut i64)))
        (import "e" "m" (memory 1)))`,
      1,
    ],
    ['several', '(module (import "e" "m" (memory 1)) (memory 1 2) (memory 1))', 3],
  ])('%s', (_case, wat, count) => {
    expect(readBinaryFacts(assemble(wat)).memoryCount).toBe(count);
  });
});
