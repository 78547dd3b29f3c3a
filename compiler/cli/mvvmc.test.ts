/** The command as a person meets it: a process with words, streams and a status. */

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { commandFile } from '../../fixtures/processes.js';
import { IrModule } from '../../passes/index.js';
import { ABI_VERSION, readModuleInfo, sections } from '../../runtime/abi/index.js';
import { compilerVersion } from '../versions.js';

const environment = { ...process.env, NO_COLOR: '1', NODE_OPTIONS: '' };

let folder = '';
const at = (name: string): string => join(folder, name);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mvvmc-'));
  cpSync('fixtures/programs/bc.wasm', at('bc.wasm'));
  writeFileSync(at('empty.wasm'), '');
  writeFileSync(at('short.wasm'), readFileSync(at('bc.wasm')).subarray(0, 1000));
  writeFileSync(at('text.wat'), '(module)');
  writeFileSync(at('component.wasm'), Uint8Array.of(0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0));
  writeFileSync(at('clash.wasm'), assemble('(module (func (export "mvvm.load")))'));
  writeFileSync(at('loop.wasm'), assemble('(module (func (export "f") (loop $l (br_if $l (i32.const 0)))))'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function assemble(text: string): Uint8Array {
  const module = IrModule.parse(text);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

interface Outcome {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs `mvvmc` in the test's folder. */
function mvvmc(words: string, more: { input?: Uint8Array; env?: Record<string, string> } = {}): Outcome {
  const result: SpawnSyncReturns<Buffer> = spawnSync(process.execPath, [commandFile('mvvmc'), ...words.split(' ')], {
    cwd: folder,
    env: { ...environment, ...more.env },
    maxBuffer: 1 << 26,
    ...(more.input === undefined ? {} : { input: more.input }),
  });
  return { status: result.status, stdout: result.stdout, stderr: result.stderr.toString() };
}

function infoOf(wasm: Uint8Array): ReturnType<typeof readModuleInfo> {
  const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(Buffer.from(wasm)), sections.info);
  return readModuleInfo(new Uint8Array(section ?? new ArrayBuffer(0)));
}

const silentSuccess = { status: 0, stderr: '', stdout: Buffer.alloc(0) };

describe('the command lines of the design', () => {
  test.each([
    '--opt-level=3 --threshold-bits=16 -o bc.mvvm.wasm bc.wasm',
    '--opt-level=3 --threshold-bits=16 --disable-aux-stack-check --enable-counter-loop-checkpoint -o bc.mvvm.wasm bc.wasm',
  ])('mvvmc %s', (words) => {
    rmSync(at('bc.mvvm.wasm'), { force: true });
    expect(mvvmc(words)).toEqual(silentSuccess);
    expect(infoOf(readFileSync(at('bc.mvvm.wasm')))).toMatchObject({
      policies: ['counter-loop-checkpoint'],
      thresholdBits: 16,
    });
  });
});

describe('input and output', () => {
  test('without -o, the output is named after the input', () => {
    expect(mvvmc('--opt-level=0 loop.wasm')).toEqual(silentSuccess);
    expect(WebAssembly.validate(readFileSync(at('loop.mvvm.wasm')))).toBe(true);
  });

  test('a pipe gives the same bytes as a file', () => {
    const piped = mvvmc('--opt-level=0 - -o -', { input: readFileSync(at('loop.wasm')) });
    expect(piped).toMatchObject({ status: 0, stderr: '' });
    mvvmc('--opt-level=0 -o file.wasm loop.wasm');
    expect(piped.stdout.equals(readFileSync(at('file.wasm')))).toBe(true);
  });

  test('--emit=wat writes text', () => {
    const { stdout } = mvvmc('--emit=wat -o - loop.wasm');
    expect(stdout.toString()).toMatch(/^\(module[\s\S]*\(export "mvvm.save"/);
  });

  test('the input is replaced only when that is asked for', () => {
    cpSync(at('loop.wasm'), at('own.wasm'));
    expect(mvvmc('-o own.wasm own.wasm')).toMatchObject({
      status: 2,
      stderr: 'mvvmc: error: own.wasm is the input and would be replaced - name another output, or add --force\n',
    });
    expect(readFileSync(at('own.wasm')).equals(readFileSync(at('loop.wasm')))).toBe(true);
    expect(mvvmc('--force -o own.wasm own.wasm')).toEqual(silentSuccess);
    expect(infoOf(readFileSync(at('own.wasm'))).abi).toBe(ABI_VERSION);
  });

  test('a failed compile leaves an old output alone and no temporary file behind', () => {
    writeFileSync(at('old.wasm'), 'old');
    expect(mvvmc('-o old.wasm empty.wasm').status).toBe(1);
    expect(readFileSync(at('old.wasm'), 'utf8')).toBe('old');
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});

describe('looking inside', () => {
  test('--report=json is one line on standard error', () => {
    const { stderr } = mvvmc('--report=json --enable-loop-checkpoint --opt-level=0 -o r.wasm loop.wasm');
    expect(stderr.trimEnd()).not.toContain('\n');
    expect(JSON.parse(stderr)).toMatchObject({
      compiler: compilerVersion,
      before: { bytes: readFileSync(at('loop.wasm')).length },
      after: { bytes: readFileSync(at('r.wasm')).length },
      policies: [{ name: 'loop-checkpoint', kind: 'loop', points: 1 }],
      functions: [{ originalIndex: 0, points: { loop: 1 } }],
    });
  });

  test('--report-file puts it into a file', () => {
    expect(mvvmc('--report-file=r.json -o r.wasm loop.wasm')).toEqual(silentSuccess);
    expect(JSON.parse(readFileSync(at('r.json'), 'utf8')).compiler).toBe(compilerVersion);
  });

  test('--time-passes lists the passes on standard error, the total last', () => {
    const lines = mvvmc('--time-passes -o t.wasm loop.wasm').stderr.trimEnd().split('\n');
    expect(lines.map((line) => line.replace(/^ *[\d.]+ ms +\d+ % {2}/, ''))).toEqual(
      expect.arrayContaining(['read', 'optimise', 'counter-loop-checkpoint', 'lower-points', 'emit']),
    );
    expect(lines.at(-1)).toMatch(/ 100 % {2}total$/);
  });

  test('--dump-after prints the module after each pass that was named, on standard output', () => {
    const { stdout, stderr } = mvvmc(
      '--dump-after=loop-checkpoint --dump-after=cleanup --enable-loop-checkpoint -o d.wasm loop.wasm',
    );
    expect(stderr).toBe('');
    expect(stdout.toString().match(/^;; after .*$/gm)).toEqual([';; after loop-checkpoint', ';; after cleanup']);
    expect(existsSync(at('d.wasm'))).toBe(true);
  });

  test('a pass that did not run is a warning', () => {
    const { status, stderr } = mvvmc('--dump-after=br-checkpoint -o d.wasm loop.wasm');
    expect(status).toBe(0);
    expect(stderr).toContain('mvvmc: warning: nothing to dump: the pass br-checkpoint did not run');
  });

  test('--print-passes lists every policy with its flag', () => {
    const { stdout } = mvvmc('--print-passes');
    expect(stdout.toString()).toMatch(/^placement +function-checkpoint +--enable-checkpoint +\S/m);
    expect(stdout.toString()).toMatch(/^lowering +lower-points /m);
  });

  test('--version names every version that matters', () => {
    const { stdout, status } = mvvmc('--version');
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(
      new RegExp(`^mvvmc ${compilerVersion} \\(ABI ${ABI_VERSION}, Binaryen \\d+\\.\\d+\\.\\d+, Node [\\d.]+\\)\\n$`),
    );
  });

  test('--help goes to standard output', () => {
    const { stdout, stderr, status } = mvvmc('--help');
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
    expect(stdout.toString()).toMatch(/^mvvmc \[options\] <input\.wasm>\n/);
  });
});

describe('errors are one line that says what was wrong with what, and what to do', () => {
  test.each([
    ['missing.wasm', 1, 'cannot read missing.wasm: no such file or folder - check the path'],
    ['.', 1, 'cannot read .: is a folder - name a file'],
    ['-o no/where.wasm loop.wasm', 1, 'cannot write no/where.wasm: no such file or folder - check the path'],
    ['empty.wasm', 1, 'empty.wasm: the module is empty - check the command that was to produce it'],
    ['short.wasm', 1, 'short.wasm: the module ends at byte 1000, in the middle of the code section - '],
    ['text.wat', 1, 'text.wat: not a WebAssembly module but WebAssembly text - assemble it first'],
    ['component.wasm', 1, 'component.wasm: a WebAssembly component, not a core module - '],
    ['clash.wasm', 1, 'clash.wasm: exported function "mvvm.load" uses the reserved prefix "mvvm"'],
    ['--enable-checkpoint-pgo=text.wat loop.wasm', 1, 'text.wat is not a profile: it is not JSON - '],
    ['--wasm-opt=text.wat loop.wasm', 1, 'text.wat is not a working wasm-opt: '],
    ['--wasm-opt=nowhere loop.wasm', 1, 'no wasm-opt found (looked at nowhere) - '],
    ['--opt-levl=3 loop.wasm', 2, 'unknown option --opt-levl - did you mean --opt-level?'],
    ['--threshold-bits=99 loop.wasm', 2, '--threshold-bits must be a whole number from 0 to 30'],
    ['loop.wasm bc.wasm', 2, 'more than one module given: loop.wasm and bc.wasm'],
  ])('mvvmc %s', (words, status, message) => {
    const outcome = mvvmc(words);
    expect(outcome.stderr).toMatch(/^mvvmc: error: [^\n]+\n$/);
    expect(outcome.stderr).toContain(`mvvmc: error: ${message}`);
    expect(outcome.status).toBe(status);
    expect(outcome.stdout.length).toBe(0);
  });

  test('MVVMC_DEBUG=1 adds a stack trace', () => {
    expect(mvvmc('empty.wasm', { env: { MVVMC_DEBUG: '1' } }).stderr).toMatch(/\n +at checkInput/);
  });

  test('colours only where they are wanted', () => {
    expect(mvvmc('empty.wasm', { env: { NO_COLOR: '', FORCE_COLOR: '1' } }).stderr).toContain('\u001b[31merror:');
    expect(mvvmc('empty.wasm', { env: { FORCE_COLOR: '1' } }).stderr).not.toContain('\u001b');
  });
});
