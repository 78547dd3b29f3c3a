import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { errno } from '../wasi/index.js';
import { blockingInput, descriptorOutput } from './stdio.js';

describe('the standard streams of this process', () => {
  const url = pathToFileURL(resolve('dist/runtime/node/stdio.js')).href;
  const copy = `
    import { nodeStdio } from ${JSON.stringify(url)};
    const { stdin, stdout, stderr } = nodeStdio();
    const buffer = new Uint8Array(70000);
    let total = 0;
    for (let length; (length = stdin.read(buffer)) !== 0; total += length) {
      for (let at = 0; at < length; ) at += stdout.write(buffer.subarray(at, length));
    }
    stderr.write(new TextEncoder().encode(String(total)));`;

  test('pass everything through', () => {
    const text = 'some text\n'.repeat(100_000);
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', copy], {
      input: text,
      encoding: 'utf8',
      maxBuffer: 1e8,
    });
    expect(child.stderr).toBe(String(text.length));
    expect(child.stdout === text).toBe(true);
  });

  test('know how much a file has, and end with it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mvvm-stdio-'));
    writeFileSync(join(folder, 'input'), 'abc');
    const fd = openSync(join(folder, 'input'), 'r');
    const input = blockingInput(fd);
    const buffer = new Uint8Array(10);
    expect([input.isTty, input.ready(), input.read(buffer), input.read(buffer)]).toEqual([false, 3, 3, 0]);
    closeSync(fd);
    rmSync(folder, { recursive: true });
  });

  test('say what is wrong as WASI does', () => {
    const fd = openSync('/dev/null', 'r');
    expect(() => descriptorOutput(fd).write(Uint8Array.of(1))).toThrow(expect.objectContaining({ errno: errno.badf }));
    closeSync(fd);
  });
});
