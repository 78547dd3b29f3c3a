/**
 * The layers of the design, read from the sources. Project references already make a forbidden import a type error;
 * this proves it from the outside, and adds what they cannot see: who imports which package.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const bundlers = ['vite', 'rollup', 'webpack', '@rspack/core', 'esbuild'];

/** What the files of a folder may import, besides each other. The deepest folder that fits decides. */
const layers: Readonly<Record<string, readonly string[]>> = {
  'runtime/abi': ['zod'],
  'runtime/node': ['runtime', 'runtime/abi', 'node', 'zod'],
  runtime: ['runtime/abi', 'zod'],
  passes: ['runtime/abi', 'binaryen', 'zod'],
  // The bundlers' own packages are there for their types, ours is imported by the scripts that a plugin writes.
  'compiler/plugins': ['compiler', 'passes', 'runtime/abi', 'node', 'zod', 'unplugin', 'mvvmc', ...bundlers],
  compiler: ['passes', 'runtime', 'runtime/node', 'runtime/abi', 'node', 'zod', 'chalk'],
};

interface Import {
  readonly file: string;
  /** A layer, `node`, or a package. */
  readonly target: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name).replaceAll('\\', '/'))
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'));
}

function layerOf(file: string): string {
  const fitting = Object.keys(layers).filter((folder) => file.startsWith(`${folder}/`));
  const deepest = fitting.sort((a, b) => b.length - a.length)[0];
  if (deepest === undefined) throw new Error(`${file} is in no layer`);
  return deepest;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(file, 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  const specifiers = text.matchAll(/(?:\bfrom |\bimport |\bimport\(|\brequire\()'([^'\s]+)'/g);
  return [...specifiers].map(([, specifier = '']) => ({ file, target: targetOf(file, specifier) }));
}

function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith('node:')) return 'node';
  if (specifier.startsWith('.')) return layerOf(posix.join(posix.dirname(file), specifier));
  const [first = '', second = ''] = specifier.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}

/** What is loaded with a file: what it imports for more than types, and what that imports. */
function filesLoadedBy(start: string): string[] {
  const loaded = new Set([start]);
  for (const file of loaded) {
    const statements = readFileSync(file, 'utf8').matchAll(/^(?:import|export)(?! type)[^;]*?'(\.[^']+)'/gm);
    for (const [, specifier = ''] of statements) {
      loaded.add(posix.join(posix.dirname(file), specifier).replace(/\.js$/, '.ts'));
    }
  }
  return [...loaded];
}

const imports = ['compiler', 'passes', 'runtime'].flatMap(sourceFiles).flatMap(importsOf);

describe('layers', () => {
  test.each(Object.entries(layers))('%s imports what it may and nothing else', (layer, allowed) => {
    const forbidden = imports.filter(({ file, target }) => {
      return layerOf(file) === layer && target !== layer && !allowed.includes(target);
    });
    expect(forbidden).toEqual([]);
  });

  test('exactly one file imports binaryen', () => {
    const files = imports.filter(({ target }) => target === 'binaryen').map(({ file }) => file);
    expect([...new Set(files)]).toEqual(['passes/ir/binaryen.ts']);
  });

  test('mvvm starts without the compiler, which takes longer to load than most programs take to be restored', () => {
    const loaded = filesLoadedBy('compiler/cli/mvvm.ts');
    expect(loaded).toContain('compiler/cli/mvvm/run-program.ts');
    expect(loaded.filter((file) => layerOf(file) === 'passes' || file === 'compiler/compile.ts')).toEqual([]);
  });

  test('looks at every layer', () => {
    expect(new Set(imports.map(({ file }) => layerOf(file)))).toEqual(new Set(Object.keys(layers)));
  });
});
