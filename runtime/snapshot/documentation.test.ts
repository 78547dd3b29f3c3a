import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { defaultLimits, FORMAT_VERSION, snapshotErrorCodes } from './index.js';

const page = readFileSync('docs/snapshot-format.md', 'utf8');

test('the page about the format lists every error code with its meaning, and no others', () => {
  const rows = Object.entries(snapshotErrorCodes).map(([code, meaning]) => `| \`${code}\` | ${meaning} |`);
  expect(
    page
      .slice(page.indexOf('## Errors'))
      .split('\n')
      .filter((line) => line.startsWith('| `')),
  ).toEqual(rows);
});

test('the page about the format states the version and the limits of the code', () => {
  expect(page).toContain(`Format version ${FORMAT_VERSION}.`);
  const { bytes, memories, memoryPages, words, tables, tableElements, wasiBytes } = defaultLimits;
  const rows = [
    `| whole file | ${bytes / 2 ** 30} GiB |`,
    `| memories | ${memories} |`,
    `| size of a memory | ${memoryPages.toLocaleString('en')} pages (4 GiB) |`,
    `| words | 2^${Math.log2(words)} |`,
    `| tables | ${tables} |`,
    `| elements of a table | ${tableElements.toLocaleString('en')} |`,
    `| WASI state | ${wasiBytes / 2 ** 20} MiB |`,
  ];
  for (const row of rows) expect(page).toContain(row);
});
