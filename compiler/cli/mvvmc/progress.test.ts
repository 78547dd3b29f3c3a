import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { clearLine, statusLine } from '../status-line.js';

const module = pathToFileURL('dist/compiler/cli/mvvmc/progress.js').href;

/** A process whose main thread never returns to its event loop, as in a compile, until a file appears. */
function program(terminal: boolean, end: string): string {
  return `
    const { startProgress } = await import('${module}');
    const { existsSync } = await import('node:fs');
    process.stderr.isTTY = ${terminal};
    const progress = startProgress('mvvmc: a.wasm');
    progress.stage('optimise');
    const never = new Int32Array(new SharedArrayBuffer(4));
    while (!existsSync(${JSON.stringify(end)})) Atomics.wait(never, 0, 0, 20);
    progress.end();`;
}

/** Runs the program; `isEnough` sees all of standard error so far and ends the work when it says so. Gives all of it. */
async function watchProgress(terminal: boolean, isEnough: (text: string) => boolean): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'progress-'));
  const end = join(folder, 'end');
  const script = join(folder, 'busy.mjs');
  writeFileSync(script, program(terminal, end));
  const child = spawn(process.execPath, [script], { env: { ...process.env, TERM: 'xterm' } });
  let text = '';
  const consider = (): void => {
    if (isEnough(text)) writeFileSync(end, '');
  };
  child.stderr.on('data', (chunk) => {
    text += chunk;
    consider();
  });
  consider();
  await new Promise((done) => child.once('close', done));
  rmSync(folder, { recursive: true });
  return text;
}

describe('progress', () => {
  test('says after a second what a busy compile does, and clears the line at the end', async () => {
    const text = await watchProgress(true, (seen) => seen.includes(' s)'));
    expect(text.startsWith(`${clearLine}mvvmc: a.wasm: optimise (1 s)`)).toBe(true);
    expect(text.endsWith(clearLine)).toBe(true);
  });

  test('is a line, whatever is said', () => {
    expect(statusLine('0123456789', 6)).toBe(`${clearLine}01234`);
    expect(statusLine('0123456789', 11)).toBe(`${clearLine}0123456789`);
    expect(statusLine('0123456789', 0)).toBe(`${clearLine}0123456789`);
  });

  test('is silent when the compile is over before a second', async () => {
    expect(await watchProgress(true, () => true)).toBe('');
  });

  test('is silent where standard error is no terminal', async () => {
    expect(await watchProgress(false, () => true)).toBe('');
  });
});
