/** The passes together: every pair of policies, the same output every time, marks that are gone. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { compile } from '../compiler/index.js';
import { type Policy, policies, readStableMap, sections, writeStableMap } from '../runtime/abi/index.js';
import { IrModule } from './ir/module.js';
import { instrument } from './pipeline.js';
import { allPasses } from './registry.js';

/** Small programs that use much: calls through tables, values of branches, loops of all shapes, recursion, vectors. */
const fixtures = [
  'br-table-values',
  'calls-everywhere',
  'loop-shapes',
  'mutual-indirect',
  'v128-slots',
  'recursion-loops',
];

const read = (name: string): Uint8Array => readFileSync(`fixtures/programs/${name}.wasm`);
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const pairs = policies.flatMap((one, at) => policies.slice(at + 1).map((other): [Policy, Policy] => [one, other]));
const combinations: readonly (readonly Policy[])[] = [...pairs, policies];

describe.each(combinations.map((chosen) => ({ name: chosen.join(' + '), chosen })))('$name', ({ chosen }) => {
  test('makes valid modules after every pass', () => {
    for (const fixture of fixtures) {
      const { wasm, map, info } = compile(read(fixture), {
        policies: chosen,
        thresholdBits: 4,
        optLevel: 1,
        verifyEach: true,
      });
      expect(WebAssembly.validate(Uint8Array.from(wasm))).toBe(true);
      expect(info.policies).toEqual(policies.filter((policy) => chosen.includes(policy)));
      expect(readStableMap(writeStableMap(map))).toEqual(map);
    }
  });
});

/** How many points there are of each kind. */
function countKinds(name: string, chosen: readonly Policy[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { kind } of compile(read(name), { policies: chosen, optLevel: 1 }).map.functions.flatMap(
    ({ points }) => points,
  )) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

test('a policy has its points also together with others', () => {
  const alone = countKinds('loop-shapes', ['br-checkpoint']).get('branch') ?? 0;
  expect(alone).toBeGreaterThan(0);
  expect(countKinds('loop-shapes', ['loop-checkpoint', 'br-checkpoint']).get('branch')).toBe(alone);
  expect(countKinds('loop-shapes', ['loop-checkpoint']).get('branch')).toBe(undefined);
});

describe('the same input and policies', () => {
  const digests = (): string[] =>
    policies.map((policy) => {
      const { wasm, map } = compile(read('calls-everywhere'), { policies: [policy], optLevel: 2 });
      return `${sha256(wasm)} ${sha256(writeStableMap(map))}`;
    });

  test('give the same bytes and the same map twice in one process', () => {
    expect(digests()).toEqual(digests());
  });

  test('give the same bytes and the same map in a fresh process', () => {
    const program = `
      import { createHash } from 'node:crypto';
      import { readFileSync } from 'node:fs';
      import { compile } from './dist/compiler/index.js';
      import { policies, writeStableMap } from './dist/runtime/abi/index.js';
      const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
      const input = readFileSync('fixtures/programs/calls-everywhere.wasm');
      console.log(JSON.stringify(policies.map((policy) => {
        const { wasm, map } = compile(input, { policies: [policy], optLevel: 2 });
        return sha256(wasm) + ' ' + sha256(writeStableMap(map));
      })));`;
    const node = ['--input-type=module', '--eval', program];
    const printed = execFileSync(process.execPath, node, { encoding: 'utf8', env: {} });
    expect(JSON.parse(printed)).toEqual(digests());
  });

  test('give the map that the module carries', () => {
    const { wasm, map } = compile(read('calls-everywhere'), { optLevel: 1 });
    const [section] = WebAssembly.Module.customSections(new WebAssembly.Module(Uint8Array.from(wasm)), sections.map);
    expect(readStableMap(new Uint8Array(section ?? new ArrayBuffer(0)))).toEqual(map);
  });
});

describe('the pipeline', () => {
  const passesRun = (chosen: readonly Policy[]): string[] => {
    const module = IrModule.read(read('nested-loops'));
    const names: string[] = [];
    try {
      instrument(module, { policies: chosen, thresholdBits: 16 }, { onPass: (name) => names.push(name) });
      expect(module.emitText()).not.toContain('mvvm.point');
    } finally {
      module.dispose();
    }
    return names;
  };

  test.each(policies)('runs the pass of policy %s, no other, and leaves no mark', (policy) => {
    const names = passesRun([policy]);
    expect(names.filter((name) => policies.some((other) => other === name))).toEqual([policy]);
    const order = allPasses.map(({ name }) => name);
    expect(names).toEqual(order.filter((name) => names.includes(name)));
    const always = allPasses.filter(({ flag }) => flag === undefined).map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(always));
  });
});

describe('the registry', () => {
  test('has a pass for each policy', () => {
    const flagged = allPasses.filter(({ flag }) => flag !== undefined).map(({ name }) => name);
    expect(flagged).toEqual(expect.arrayContaining([...policies]));
    expect(flagged.filter((name) => !policies.some((policy) => policy === name))).toEqual(['checkpoint-pgo']);
  });

  test('names passes in kebab case, each once, with one line that describes it', () => {
    for (const { name, flag, description, documentation } of allPasses) {
      expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
      expect(flag ?? 'enable-').toMatch(/^enable-/);
      expect(description).toMatch(/^[a-z][^\n]+[^.\n]$/);
      expect(documentation).toMatch(/\.$/);
    }
    expect(new Set(allPasses.map(({ name }) => name)).size).toBe(allPasses.length);
  });

  test('places points before it checks them, and checks them before it lowers', () => {
    const stages = allPasses.filter(({ name }) => name !== 'prepare').map(({ stage }) => stage);
    expect(stages.join(' ')).toMatch(/^(placement )+analysis( lowering)+$/);
  });
});
