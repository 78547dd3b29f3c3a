import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { troubleshootingPage } from './docs-diagnostics.js';

const sources = [
  'compiler/diagnostics.ts',
  'passes/diagnostics.ts',
  'runtime/engine/errors.ts',
  'runtime/snapshot/errors.ts',
  'runtime/wasi/diagnostics.ts',
];

test('the page about troubles has every code that anything can throw, and no other', () => {
  const known = sources.flatMap((path) =>
    [...readFileSync(path, 'utf8').matchAll(/\bcode: '([^']+)'/g)].map(([, code]) => code),
  );
  const shown = [...troubleshootingPage().matchAll(/\| `([\w/-]+)` \|\n/g)].map(([, code]) => code);
  expect(new Set(shown)).toEqual(new Set(known));
  expect(shown.length).toBeGreaterThan(80);
});

test('every row says what to do, but that about wrong use of the library, whose message is all there is', () => {
  const empty = [...troubleshootingPage().matchAll(/\| {2}\| `([\w/-]+)` \|\n/g)].map(([, code]) => code);
  expect(empty).toEqual(['wrong-use']);
});
