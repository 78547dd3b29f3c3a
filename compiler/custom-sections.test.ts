import { expect, test } from '@jest/globals';
import { insertSections, makeCustomSection } from './custom-sections.js';

const empty = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);

test('sections of any size are what an engine finds, in their order', () => {
  const large = new Uint8Array(20_000_000).fill(7);
  const wasm = insertSections(empty, empty.length, [
    makeCustomSection('large', large),
    makeCustomSection('small', Uint8Array.of(1, 2)),
    makeCustomSection('small', Uint8Array.of(3)),
  ]);
  const module = new WebAssembly.Module(Buffer.from(wasm));
  const [found] = WebAssembly.Module.customSections(module, 'large');
  expect(Buffer.from(found ?? new ArrayBuffer(0)).equals(large)).toBe(true);
  const small = WebAssembly.Module.customSections(module, 'small').map((bytes) => [...new Uint8Array(bytes)]);
  expect(small).toEqual([[1, 2], [3]]);
});

test('a section is inserted where it is wanted', () => {
  const first = makeCustomSection('a', Uint8Array.of(1));
  const second = makeCustomSection('b', new Uint8Array());
  const wasm = insertSections(insertSections(empty, empty.length, [second]), empty.length, [first]);
  expect([...wasm]).toEqual([...empty, 0, 3, 1, 0x61, 1, 0, 2, 1, 0x62]);
});
