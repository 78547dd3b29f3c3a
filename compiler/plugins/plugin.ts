/**
 * The plugin for bundlers, by unplugin: `import program from './x.wasm?mvvm'`.
 *
 *     resolve  './x.wasm?mvvm'        -> '/abs/x.wasm?mvvm'
 *     load     '/abs/x.wasm?mvvm'     -> a script that exports the loaded program (program-module.ts)
 *     emit     other wasm files       -> compiled, when `emitted` is set (emitted-files.ts)
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, isAbsolute, join } from 'node:path';
import type { sources as RspackSources } from '@rspack/core';
import type { PluginContext } from 'rollup';
import { createUnplugin, type UnpluginInstance } from 'unplugin';
import type { sources as WebpackSources } from 'webpack';
import { compileStep, type StepResult } from './cache.js';
import { compileAssets, compileBundle, compileEsbuildOutputs } from './emitted-files.js';
import { type PluginOptions, stepOptions } from './options.js';
import { fetchedProgram, inlineProgram } from './program-module.js';

const suffix = '?mvvm';
const pattern = /\.wasm\?mvvm$/;

export const plugin: UnpluginInstance<PluginOptions | undefined, false> = createUnplugin(
  (options = {}, { framework }) => {
    const step = stepOptions(options);
    const asFile = options.delivery === 'file';

    function load(context: Reporter, id: string, place: (result: StepResult) => string): string {
      const path = id.slice(0, -suffix.length);
      context.addWatchFile(path);
      const result = compileStep(readFileSync(path), step, path);
      for (const warning of result.warnings) context.warn(`${path}: ${warning}`);
      return asFile ? fetchedProgram(place(result)) : inlineProgram(result.wasm);
    }

    const bundle = options.emitted === true ? { generateBundle: compileBundle(step) } : {};
    return {
      name: 'mvvmc',
      enforce: 'pre',
      resolveId: {
        filter: { id: pattern },
        handler: (id, importer) => resolveModule(id.slice(0, -suffix.length), importer) + suffix,
      },
      load: {
        filter: { id: pattern },
        handler(id) {
          try {
            return load(this, id, (result) => placeByImport(framework, keptFile(result)));
          } catch (error) {
            // esbuild forgets which files to watch when something is thrown, and would not build again when they are mended.
            if (framework !== 'esbuild') throw error;
            this.error(error instanceof Error ? error.message : String(error));
            return '';
          }
        },
      },
      vite: bundle,
      rollup: {
        ...bundle,
        load(this: PluginContext, id: string) {
          if (!pattern.test(id)) return null;
          return load(this, id, ({ wasm }) => {
            const name = basename(id.slice(0, -suffix.length));
            const reference = this.emitFile({ type: 'asset', name, source: wasm });
            return `const url = new URL(import.meta.ROLLUP_FILE_URL_${reference});`;
          });
        },
      },
      webpack(compiler) {
        if (options.emitted === true) compileAssets<WebpackSources.Source>(step, compiler);
      },
      rspack(compiler) {
        if (options.emitted === true) compileAssets<RspackSources.Source>(step, compiler);
      },
      esbuild: {
        config(settings) {
          if (asFile) settings.loader = { '.wasm': 'file', ...settings.loader };
        },
        setup(build) {
          if (options.emitted === true) compileEsbuildOutputs(step)(build);
        },
      },
    };
  },
);

interface Reporter {
  addWatchFile(path: string): void;
  warn(text: string): void;
}

/** Relative to the importer, absolute, or in a package. */
function resolveModule(id: string, importer: string | undefined): string {
  if (isAbsolute(id)) return id;
  const from = importer?.replace(/\?.*$/, '') ?? join(process.cwd(), 'package.json');
  return id.startsWith('.') ? join(dirname(from), id) : createRequire(from).resolve(id);
}

/** Lines that define `url`; the bundler sees the file in them and puts it beside the scripts. */
function placeByImport(framework: string, file: string): string {
  const path = file.replaceAll('\\', '/');
  switch (framework) {
    case 'vite':
      return `import href from ${JSON.stringify(`${path}?url`)};\nconst url = new URL(href, import.meta.url);`;
    case 'esbuild':
      return `import href from ${JSON.stringify(path)};\nconst url = new URL(href, import.meta.url);`;
    default:
      return `const url = new URL(${JSON.stringify(path)}, import.meta.url);`;
  }
}

function keptFile({ file }: StepResult): string {
  if (file === undefined) throw new Error("delivery: 'file' takes the file from the cache: leave out cache: false");
  return file;
}
