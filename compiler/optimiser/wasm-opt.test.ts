import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { IrModule } from '../../passes/index.js';
import { binaryenVersion } from '../versions.js';
import { findWasmOpt, runWasmOpt } from './wasm-opt.js';

// The wasm-opt inside the binaryen package stands for the user's: it is there on every machine.
const realTool = resolve('node_modules/binaryen/bin/wasm-opt');
const fast = { optimizeLevel: 3, shrinkLevel: 0 } as const;

let folder = '';
const environment = { path: process.env['PATH'], folder: process.cwd() };
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wasm-opt-'));
});
afterEach(() => {
  process.env['PATH'] = environment.path;
  process.chdir(environment.folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, body: string): string {
  const path = join(folder, name);
  writeFileSync(path, body);
  chmodSync(path, 0o755);
  return path;
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return Object(error).diagnostic.code;
  }
  return 'nothing thrown';
}

function assemble(text: string): Uint8Array {
  const module = IrModule.parse(text);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

describe('finding wasm-opt', () => {
  test('by path, with its version', () => {
    expect(findWasmOpt(realTool)).toEqual({ path: realTool, version: binaryenVersion.replace(/\..*/, '') });
  });

  test('on the PATH', () => {
    symlinkSync(realTool, join(folder, 'wasm-opt'));
    process.env['PATH'] = `${join(folder, 'nothing-here')}:${folder}:${environment.path}`;
    expect(findWasmOpt(true).path).toBe(join(folder, 'wasm-opt'));
  });

  test('in the npm package wasm-opt when the PATH has none', () => {
    const project = join(folder, 'project');
    const installed = join(project, 'node_modules', 'wasm-opt');
    mkdirSync(installed, { recursive: true });
    writeFileSync(join(installed, 'package.json'), '{"name":"wasm-opt","bin":{"wasm-opt":"tool.cjs"}}');
    writeFileSync(join(installed, 'tool.cjs'), "console.log('wasm-opt version 7')");
    process.env['PATH'] = join(folder, 'nothing-here');
    process.chdir(project);
    const found = findWasmOpt(true);
    expect(found.version).toBe('7');
    expect(found.path).toMatch(/wasm-opt\/tool\.cjs$/);
  });

  test('says where it looked when there is none', () => {
    process.env['PATH'] = join(folder, 'nothing-here');
    process.chdir(tmpdir());
    expect(codeOf(() => findWasmOpt(true))).toBe('wasm-opt/not-found');
    expect(codeOf(() => findWasmOpt(join(folder, 'missing')))).toBe('wasm-opt/not-found');
    expect(codeOf(() => findWasmOpt(folder))).toBe('wasm-opt/not-found');
  });

  test('refuses programs that are something else', () => {
    expect(codeOf(() => findWasmOpt(script('silent.cjs', '')))).toBe('wasm-opt/unusable');
    expect(codeOf(() => findWasmOpt(script('other.cjs', "console.log('true version 9')")))).toBe('wasm-opt/unusable');
    expect(codeOf(() => findWasmOpt(script('fails.cjs', 'process.exit(3)')))).toBe('wasm-opt/unusable');
  });
});

describe('running wasm-opt', () => {
  const tool = { path: realTool, version: '132' };

  test('optimises', () => {
    const text = textOf(
      runWasmOpt(
        tool,
        assemble('(module (func (export "f") (result i32) (i32.add (i32.const 20) (i32.const 22))))'),
        fast,
      ),
    );
    expect(text).toContain('(i32.const 42)');
  });

  test('keeps names', () => {
    expect(textOf(runWasmOpt(tool, readFileSync('fixtures/programs/matmul.wasm'), fast))).toContain('(func $_start');
  });

  test('allows the features of a module that does not name them', () => {
    const simd = assemble(
      '(module (func (export "f") (param v128) (result i32) (i32x4.extract_lane 0 (local.get 0))))',
    );
    expect(WebAssembly.validate(Buffer.from(runWasmOpt(tool, simd, fast)))).toBe(true);
  });

  test('allows no features to a module that does without', () => {
    const log = join(folder, 'calls');
    const note = `const fs = require('fs'); fs.appendFileSync(${JSON.stringify(log)}, process.argv.slice(2).join(' ') + '\\n');`;
    const succeed = "fs.writeFileSync(process.argv[4], '');";
    const content = { path: script('content.cjs', `${note} ${succeed}`), version: '1' };
    runWasmOpt(content, Uint8Array.of(), fast);
    const picky = `${note} if (process.argv.includes('--enable-simd')) ${succeed} else process.exit(1);`;
    runWasmOpt({ path: script('picky.cjs', picky), version: '1' }, Uint8Array.of(), fast);
    const calls = readFileSync(log, 'utf8').trim().split('\n');
    expect(calls.map((call) => call.includes('--enable-'))).toEqual([false, false, true]);
  });

  test('passes on why it failed', () => {
    const broken = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 10, 1, 9);
    expect(codeOf(() => runWasmOpt(tool, broken, fast))).toBe('wasm-opt/failed');
    const mute = { path: script('mute.cjs', ''), version: '1' };
    expect(codeOf(() => runWasmOpt(mute, broken, fast))).toBe('wasm-opt/failed');
  });

  test('is given both levels', () => {
    const echo = {
      path: script('echo.cjs', 'console.error(process.argv.slice(5).join(" ")); process.exit(1)'),
      version: '1',
    };
    const flagsFor = (levels: Parameters<typeof runWasmOpt>[2]): string => {
      try {
        runWasmOpt(echo, Uint8Array.of(), levels);
      } catch (error) {
        return Object(error).message;
      }
      return '';
    };
    expect(flagsFor({ optimizeLevel: 2, shrinkLevel: 0 })).toContain('-g -O2 --optimize-level=2 --shrink-level=0');
    expect(flagsFor({ optimizeLevel: 3, shrinkLevel: 2 })).toContain('-g -Oz --optimize-level=3 --shrink-level=2');
  });
});

function textOf(bytes: Uint8Array): string {
  const module = IrModule.read(bytes);
  const text = module.emitText();
  module.dispose();
  return text;
}
