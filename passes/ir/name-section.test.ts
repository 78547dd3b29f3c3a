import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { programsFolder } from '../../fixtures/manifest.js';
import { IrModule } from './module.js';
import { withoutNames } from './name-section.js';

const bytes = (name: string): Uint8Array => readFileSync(`${programsFolder}${name}.wasm`);

test('takes the name section away and nothing else', () => {
  const module = bytes('nested-loops');
  const nameless = withoutNames(module);
  expect(nameless).toBeDefined();
  expect(WebAssembly.validate(Uint8Array.from(nameless ?? []))).toBe(true);
  expect(Buffer.from(nameless ?? []).includes('name')).toBe(false);
  expect(withoutNames(nameless ?? module)).toBeUndefined();
});

test('a module whose names Binaryen cannot read is read without them', () => {
  // Written by wabt, with names of tags.
  const module = IrModule.read(bytes('exceptions'));
  expect(module.exports().map(({ name }) => name)).toEqual(['memory', 'run']);
  expect(module.functions()).toHaveLength(5);
  module.dispose();
});

test('what is broken elsewhere stays so', () => {
  const module = bytes('nested-loops');
  expect(withoutNames(module.subarray(0, module.length - 1))).toBeUndefined();
});
