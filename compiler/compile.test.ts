import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { CompileError, IrModule } from '../passes/index.js';
import { ABI_VERSION, readModuleInfo, readStableMap, sections } from '../runtime/abi/index.js';
import { compile } from './compile.js';
import { sha256 } from './report.js';
import { compilerVersion } from './versions.js';

const matmul = readFileSync('fixtures/programs/matmul.wasm');
/** Small, so that a test is about what it says and not about optimising. */
const quick = { optLevel: 0 } as const;

function assemble(text: string): Uint8Array {
  const module = IrModule.parse(text);
  const bytes = module.emitBinary();
  module.dispose();
  return bytes;
}

const twoLoops = assemble(`(module
  (memory (export "memory") 1)
  (func (export "sum") (param $n i32) (result i32) (local $sum i32)
    (loop $up
      (local.set $sum (i32.add (local.get $sum) (local.get $n)))
      (br_if $up (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "forever") (loop $again (i32.store (i32.const 0) (i32.const 1)) (br $again))))`);

function section(wasm: Uint8Array, name: string): Uint8Array {
  const [found] = WebAssembly.Module.customSections(new WebAssembly.Module(Buffer.from(wasm)), name);
  if (found === undefined) throw new Error(`there is no section ${name}`);
  return new Uint8Array(found);
}

function diagnosticOf(action: () => unknown): { code: string } {
  try {
    action();
  } catch (error) {
    if (error instanceof CompileError) return error.diagnostic;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('compiling', () => {
  const result = compile(matmul, { thresholdBits: 8 });

  test('gives a valid module that says where it comes from', () => {
    expect(WebAssembly.validate(Buffer.from(result.wasm))).toBe(true);
    expect(readModuleInfo(section(result.wasm, sections.info))).toEqual({
      abi: ABI_VERSION,
      compiler: compilerVersion,
      original: sha256(matmul),
      policies: ['counter-loop-checkpoint'],
      thresholdBits: 8,
    });
    expect(result.info).toEqual(readModuleInfo(section(result.wasm, sections.info)));
  });

  test('gives the stable map that is in the module', () => {
    expect(result.map).toEqual(readStableMap(section(result.wasm, sections.map)));
    expect(result.map.functions.length).toBeGreaterThan(0);
  });

  test('reports what it did', () => {
    const { report } = result;
    expect(report.before).toEqual({ bytes: matmul.length, sha256: sha256(matmul) });
    expect(report.after).toEqual({ bytes: result.wasm.length, sha256: sha256(result.wasm) });
    expect(report.points.total).toBe(result.map.functions.reduce((sum, fn) => sum + fn.points.length, 0));
    expect(report.points.loop).toBeGreaterThan(0);
    const names = report.passes.map(({ name }) => name);
    expect(names.slice(0, 2)).toEqual(['read', 'optimise']);
    expect(names.slice(-3)).toEqual(['cleanup', 'validate', 'emit']);
    expect(names).toContain('counter-loop-checkpoint');
  });

  test('gives the same bytes every time', () => {
    expect(sha256(compile(matmul, { thresholdBits: 8 }).wasm)).toBe(sha256(result.wasm));
  });

  test('leaves the input as it was', () => {
    expect(sha256(matmul)).toBe(sha256(readFileSync('fixtures/programs/matmul.wasm')));
  });
});

describe('options', () => {
  test('policies decide where the points are, whatever their order', () => {
    const loops = compile(twoLoops, { ...quick, policies: ['loop-checkpoint'] });
    expect(loops.report.points.loop).toBe(2);
    const both = compile(twoLoops, { ...quick, policies: ['loop-checkpoint', 'br-checkpoint'] });
    const reversed = compile(twoLoops, { ...quick, policies: ['br-checkpoint', 'loop-checkpoint'] });
    expect(both.report.points.branch).toBe(2);
    expect(sha256(reversed.wasm)).toBe(sha256(both.wasm));
  });

  test('text is made when asked for', () => {
    expect(compile(twoLoops, quick).text).toBeUndefined();
    expect(compile(twoLoops, { ...quick, text: true }).text).toMatch(/^\(module[\s\S]*"mvvm.save"/);
  });

  test('without optimising, the optimiser does not run', () => {
    expect(compile(twoLoops, quick).report.passes.map(({ name }) => name)).not.toContain('optimise');
  });

  test('every pass can be watched, with the module as it is after it', () => {
    const seen: string[] = [];
    compile(
      twoLoops,
      { ...quick, policies: ['loop-checkpoint'] },
      {
        onPass(name, _milliseconds, text) {
          if (name === 'loop-checkpoint' || name === 'cleanup') seen.push(`${name} ${text().includes('mvvm.save')}`);
        },
      },
    );
    expect(seen).toEqual(['loop-checkpoint false', 'cleanup true']);
  });

  test('every pass leaves a valid module', () => {
    const policies = ['function-checkpoint', 'loop-checkpoint', 'br-checkpoint'] as const;
    expect(compile(twoLoops, { policies, verifyEach: true }).report.points.total).toBeGreaterThan(4);
  });

  test("a wasm-opt of the user's is used and named, and functions keep their original index", () => {
    const path = resolve('node_modules/binaryen/bin/wasm-opt');
    const { report } = compile(matmul, { wasmOpt: path });
    expect(report.optimiser).toEqual({ name: path, version: expect.stringMatching(/^\d+/) });
    const bundled = compile(matmul, {}).report;
    const indices = new Map(bundled.functions.map((fn) => [fn.name, fn.originalIndex]));
    expect(report.functions.length).toBeGreaterThan(0);
    for (const fn of report.functions) expect(fn.originalIndex).toBe(indices.get(fn.name));
  });
});

describe('refusals', () => {
  test('a module that is damaged inside', () => {
    const damaged = Uint8Array.from(twoLoops);
    damaged.fill(0xff, damaged.length - 20, damaged.length - 10);
    expect(diagnosticOf(() => compile(damaged)).code).toMatch(/^(module|input)\//);
  });

  test('a module that was compiled before', () => {
    expect(diagnosticOf(() => compile(compile(twoLoops, quick).wasm))).toMatchObject({
      code: 'input/already-compiled',
    });
  });

  test('names that clash with ours', () => {
    const clash = assemble('(module (func (export "mvvm.save")))');
    expect(diagnosticOf(() => compile(clash, quick))).toMatchObject({ code: 'module/reserved-name' });
  });

  test('a profile of another module', () => {
    const profile = { original: '0'.repeat(64), points: [] };
    expect(diagnosticOf(() => compile(twoLoops, { profile }))).toMatchObject({
      code: 'options/profile-of-another-module',
    });
  });

  test('a wasm-opt that is not there, before anything is done', () => {
    expect(diagnosticOf(() => compile(twoLoops, { wasmOpt: '/no/wasm-opt' }))).toMatchObject({
      code: 'wasm-opt/not-found',
    });
  });
});
