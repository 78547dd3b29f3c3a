import { describe, expect, test } from '@jest/globals';
import binaryen from 'binaryen';
import { HostCallDepth, linkImports, linkLate } from './linking.js';

const names = ['plain', '__proto__', 'constructor'];
const pairs = names.flatMap((module) => names.map((name): [string, string] => [module, name]));

function importing(wanted: readonly [string, string][]): WebAssembly.Module {
  const imports = wanted.map(([module, name]) => `(import "${module}" "${name}" (func (result i32)))`);
  const parsed = binaryen.parseText(`(module ${imports.join('\n')} (memory (import "plain" "memory") 1))`);
  const binary = parsed.emitBinary();
  parsed.dispose();
  return new WebAssembly.Module(Uint8Array.from(binary));
}

const memory = new WebAssembly.Memory({ initial: 1 });
const functions = Object.fromEntries(
  names.map((module, at) => [
    module,
    Object.fromEntries<WebAssembly.ImportValue>(names.map((name, index) => [name, () => at * 10 + index])),
  ]),
);
const offered = { ...functions, plain: { ...functions['plain'], memory } };

describe.each([
  ['at once', (module: WebAssembly.Module) => linkImports(module, [new HostCallDepth().track(offered)])],
  [
    'late',
    (module: WebAssembly.Module) => {
      const late = linkLate(module, [{ plain: { memory } }]);
      late.bind(offered);
      return late.imports;
    },
  ],
])('linked %s', (_, link) => {
  test('imports of any name come from where they are named', () => {
    const linked = link(importing(pairs));
    const called = pairs.map(([module, name]) => {
      const value = linked[module]?.[name];
      return typeof value === 'function' ? Reflect.apply(value, undefined, []) : value;
    });
    expect(called).toEqual([0, 1, 2, 10, 11, 12, 20, 21, 22]);
    expect(linked['plain']?.['memory']).toBe(memory);
    expect(() => new WebAssembly.Instance(importing(pairs), linked)).not.toThrow();
  });

  test('what nobody has is refused, all of it by name', () => {
    const module = importing([...pairs, ['plain', 'more'], ['toString', 'call']]);
    expect(() => link(module)).toThrow(/plain\.more \(function\).*toString\.call \(function\)/);
  });
});
