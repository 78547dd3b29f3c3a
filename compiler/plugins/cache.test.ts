import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { compileStep, defaultCache } from './cache.js';

const bytes = readFileSync('fixtures/programs/reactor.wasm');

let cache = '';
beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), 'cache-'));
});
afterEach(() => rmSync(cache, { recursive: true }));

const entries = (): string[] => readdirSync(cache).sort();

describe('the cache of build steps', () => {
  test('keeps a module by what decides what comes out, and takes it from there', () => {
    const first = compileStep(bytes, { cache }, 'lib/reactor.wasm');
    const [record, file] = entries();
    expect(first.file).toBe(join(cache, file ?? ''));
    expect(record).toBe(file?.replace('.wasm', '.json'));
    const before = statSync(join(cache, file ?? ''));
    const second = compileStep(
      bytes,
      { cache, policies: ['counter-loop-checkpoint'], thresholdBits: 16 },
      'reactor.wasm',
    );
    expect(second.wasm).toEqual(Buffer.from(first.wasm));
    expect(statSync(join(cache, file ?? '')).ino).toBe(before.ino);

    compileStep(bytes, { cache, thresholdBits: 3 }, 'reactor.wasm');
    expect(entries().length).toBe(4);
  });

  test('compiles again what was damaged or is not whole', () => {
    const { wasm, file = '' } = compileStep(bytes, { cache }, 'reactor.wasm');
    writeFileSync(file, wasm.subarray(0, 100));
    expect(Buffer.from(compileStep(bytes, { cache }, 'reactor.wasm').wasm)).toEqual(Buffer.from(wasm));
    rmSync(file);
    compileStep(bytes, { cache }, 'reactor.wasm');
    expect(readFileSync(file)).toEqual(Buffer.from(wasm));
    writeFileSync(file.replace('.wasm', '.json'), '{"sha256":');
    expect(Buffer.from(compileStep(bytes, { cache }, 'reactor.wasm').wasm)).toEqual(Buffer.from(wasm));
    expect(entries().length).toBe(2);
  });

  test('can be left out', () => {
    expect(compileStep(bytes, { cache: false }, 'reactor.wasm').file).toBeUndefined();
    expect(entries()).toEqual([]);
  });

  test('is that of the nearest package', () => {
    writeFileSync(join(cache, 'package.json'), '{}');
    mkdirSync(join(cache, 'deep/down'), { recursive: true });
    expect(defaultCache(join(cache, 'deep/down'))).toBe(join(cache, 'node_modules/.cache/mvvmc'));
  });

  test('what cannot be compiled is named, with what to do', () => {
    const attempt = (): unknown => compileStep(Buffer.from('hello'), { cache }, 'lib/a.wasm');
    expect(attempt).toThrow(/^lib\/a\.wasm: not a WebAssembly module.* - /);
    expect(entries()).toEqual([]);
  });
});
