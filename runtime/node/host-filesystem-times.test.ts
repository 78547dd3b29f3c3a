import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Directory } from '../wasi/index.js';
import { openHostDirectory } from './host-filesystem.js';

let folder = '';
let root: Directory;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mvvm-times-'));
  writeFileSync(join(folder, 'file'), 'text');
  symlinkSync('file', join(folder, 'link'));
  root = openHostDirectory(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('times of files of the host', () => {
  test('are set to the microsecond', () => {
    for (let index = 0n; index < 500n; index++) {
      const modified = 1_700_000_000_000_000_000n + index * 1_234_567_000n;
      root.setTimesOf('file', { accessed: modified + 1000n, modified });
      const { accessed, modified: now } = root.statOf('file');
      expect([accessed / 1000n, now / 1000n]).toEqual([modified / 1000n + 1n, modified / 1000n]);
    }
  });

  test('are set on a link itself, and the other time stays', () => {
    root.setTimesOf('file', { accessed: 5_000_000n, modified: 6_000_000n });
    root.setTimesOf('link', { accessed: 7_000_000n, modified: 8_000_000n });
    root.setTimesOf('link', { modified: 9_000_000n });
    const times = (name: string): bigint[] => [root.statOf(name).accessed, root.statOf(name).modified];
    expect([times('file'), times('link')]).toEqual([
      [5_000_000n, 6_000_000n],
      [7_000_000n, 9_000_000n],
    ]);
  });
});
