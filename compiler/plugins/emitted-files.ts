/**
 * Compiling the wasm files that a bundle contains anyway, as it is written. Each bundler hands them out in its own way;
 * what was compiled already (a program imported with `?mvvm`) stays as it is.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { PluginBuild } from 'esbuild';
import { CompileError } from '../../passes/index.js';
import { compileStep } from './cache.js';
import type { StepOptions } from './options.js';

type Warn = (text: string) => void;

/** A file of a bundle, as Rollup and Rolldown have it. */
type BundleFile =
  | { readonly type: 'asset'; readonly fileName: string; source: string | Uint8Array }
  | { readonly type: 'chunk' };

type GenerateBundle = (this: { warn: Warn }, options: unknown, bundle: Readonly<Record<string, BundleFile>>) => void;

/** Rollup, Vite: the files are data until they are written. */
export function compileBundle(step: StepOptions): GenerateBundle {
  return function generateBundle(_options, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'asset' || !file.fileName.endsWith('.wasm') || typeof file.source === 'string') continue;
      file.source = compileEmitted(file.source, step, file.fileName, (text) => this.warn(text));
    }
  };
}

/** What webpack and Rspack have in common, as far as it is needed here. */
interface AssetCompiler<Source extends { buffer(): Buffer }> {
  readonly webpack: {
    readonly Compilation: { readonly PROCESS_ASSETS_STAGE_OPTIMIZE: number };
    readonly WebpackError: new (text: string) => Error;
    readonly sources: { readonly RawSource: new (content: Buffer) => Source };
  };
  readonly hooks: {
    readonly thisCompilation: { tap(name: string, work: (compilation: AssetCompilation<Source>) => void): void };
  };
}

interface AssetCompilation<Source> {
  readonly warnings: { push(warning: Error): unknown };
  readonly hooks: {
    readonly processAssets: {
      tap(options: { name: string; stage: number }, work: (assets: Record<string, Source>) => void): void;
    };
  };
  updateAsset(name: string, source: Source): void;
}

/** webpack, Rspack: the files are assets of a compilation, before they are named by their content. */
export function compileAssets<Source extends { buffer(): Buffer }>(
  step: StepOptions,
  { webpack, hooks }: AssetCompiler<Source>,
): void {
  const { Compilation, WebpackError, sources } = webpack;
  hooks.thisCompilation.tap('mvvmc', (compilation) => {
    const stage = Compilation.PROCESS_ASSETS_STAGE_OPTIMIZE;
    compilation.hooks.processAssets.tap({ name: 'mvvmc', stage }, (assets) => {
      for (const [name, asset] of Object.entries(assets)) {
        if (!name.endsWith('.wasm')) continue;
        const warn: Warn = (text) => compilation.warnings.push(new WebpackError(text));
        const wasm = compileEmitted(asset.buffer(), step, name, warn);
        compilation.updateAsset(name, new sources.RawSource(Buffer.from(wasm)));
      }
    });
  });
}

/** esbuild writes its files itself, or hands them over (`write: false`); what they are called is in its metafile. */
export function compileEsbuildOutputs(step: StepOptions): (build: PluginBuild) => void {
  return (build) => {
    const { initialOptions } = build;
    initialOptions.metafile = true;
    build.onEnd((result) => {
      const warnings: { text: string }[] = [];
      const compileFile = (bytes: Uint8Array, name: string): Uint8Array =>
        compileEmitted(bytes, step, name, (text) => warnings.push({ text }));
      for (const file of result.outputFiles ?? []) {
        if (file.path.endsWith('.wasm')) file.contents = compileFile(file.contents, file.path);
      }
      if (result.outputFiles === undefined) {
        for (const name of Object.keys(result.metafile?.outputs ?? {})) {
          if (!name.endsWith('.wasm')) continue;
          const path = resolve(initialOptions.absWorkingDir ?? '.', name);
          writeFileSync(path, compileFile(readFileSync(path), name));
        }
      }
      return { warnings };
    });
  };
}

function compileEmitted(bytes: Uint8Array, step: StepOptions, name: string, warn: Warn): Uint8Array {
  try {
    const { wasm, warnings } = compileStep(bytes, step, name);
    for (const text of warnings) warn(`${name}: ${text}`);
    return wasm;
  } catch (error) {
    if (error instanceof Error && isCompiledAlready(error.cause)) return bytes;
    throw error;
  }
}

function isCompiledAlready(error: unknown): boolean {
  return error instanceof CompileError && error.diagnostic.code === 'input/already-compiled';
}
