import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { checkOutput, writeOutput } from './output.js';

let folder = '';
const at = (name: string): string => join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'output-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('writing a file', () => {
  test('makes it, or replaces it whole, and leaves nothing else behind', async () => {
    await writeOutput(at('a.wasm'), Uint8Array.of(1, 2, 3));
    await writeOutput(at('a.wasm'), 'text');
    expect(readFileSync(at('a.wasm'), 'utf8')).toBe('text');
    expect(readdirSync(folder)).toEqual(['a.wasm']);
  });

  test('replaces a symbolic link, never what it points to', async () => {
    writeFileSync(at('precious'), 'old');
    symlinkSync(at('precious'), at('link'));
    await writeOutput(at('link'), 'new');
    expect(readFileSync(at('precious'), 'utf8')).toBe('old');
    expect(lstatSync(at('link')).isSymbolicLink()).toBe(false);
    expect(readFileSync(at('link'), 'utf8')).toBe('new');
  });

  test('refuses a folder, naming it, and leaves nothing behind', async () => {
    mkdirSync(at('folder'));
    await expect(writeOutput(at('folder'), 'x')).rejects.toMatchObject({
      message: `cannot write ${at('folder')}: is a folder`,
    });
    await expect(writeOutput(at('no/where'), 'x')).rejects.toMatchObject({
      message: `cannot write ${at('no/where')}: no such file or folder`,
    });
    expect(readdirSync(folder)).toEqual(['folder']);
  });

  (existsSync('/dev/null') ? test : test.skip)('writes to a device without replacing it', async () => {
    await writeOutput('/dev/null', 'x');
    expect(lstatSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

describe('an output that would do harm', () => {
  test.each(['itself', 'hard link', 'symbolic link'])('is refused: the input, as %s', async (how) => {
    const input = at('a.wasm');
    writeFileSync(input, 'module');
    const output =
      how === 'itself' ? join(folder, '..', folder.split(/[\\/]/).at(-1) ?? '', 'a.wasm') : at('other.wasm');
    if (how === 'hard link') linkSync(input, output);
    if (how === 'symbolic link') symlinkSync(input, output);
    await expect(checkOutput(output, input, true)).rejects.toMatchObject({ name: 'CommandLineError' });
  });

  test('is refused: binary on a terminal', async () => {
    const { isTTY } = process.stdout;
    try {
      process.stdout.isTTY = true;
      await expect(checkOutput('-', 'a.wasm', true)).rejects.toMatchObject({ hint: 'add -o <file> or --emit=wat' });
      await checkOutput('-', 'a.wasm', false);
    } finally {
      process.stdout.isTTY = isTTY;
    }
  });

  test('is not another file, a new one, or one made from standard input', async () => {
    writeFileSync(at('a.wasm'), '');
    writeFileSync(at('b.wasm'), '');
    await checkOutput(at('b.wasm'), at('a.wasm'), true);
    await checkOutput(at('new.wasm'), at('a.wasm'), true);
    await checkOutput(at('a.wasm'), '-', true);
  });
});
