/** Gives a module its imports, and refuses by name what nobody has, before anything of the module exists. */

import { IMPORT_MODULE } from '../abi/index.js';
import { EngineError, unknownImports } from './errors.js';

/**
 * Everything that a module imports, taken from the first source that has it.
 * @throws {EngineError} `unknown-import` with every import that no source has, or has as another kind
 */
export function linkImports(
  module: WebAssembly.Module,
  sources: readonly WebAssembly.Imports[],
): Record<string, WebAssembly.ModuleImports> {
  const linked: Record<string, WebAssembly.ModuleImports> = {};
  const unknown: string[] = [];
  for (const wanted of WebAssembly.Module.imports(module)) {
    const value = findImport(sources, wanted);
    if (value === undefined) unknown.push(describe(wanted));
    else linked[wanted.module] = { ...linked[wanted.module], [wanted.name]: value };
  }
  if (unknown.length > 0) throw new EngineError(unknownImports(unknown));
  return linked;
}

/** Imports that lead nowhere until {@link LateImports.bind} is called, apart from those that are there already. */
export interface LateImports {
  readonly imports: WebAssembly.Imports;
  /**
   * Lets them lead to these.
   * @throws {EngineError} `unknown-import` with every import that is not among them
   */
  bind(provided: WebAssembly.Imports): void;
}

/**
 * {@link linkImports} for an instance that is made before those who will provide the rest of its functions.
 * @throws {EngineError} `unknown-import` for a memory, table or global that no source has
 */
export function linkLate(module: WebAssembly.Module, sources: readonly WebAssembly.Imports[]): LateImports {
  const pending: {
    readonly wanted: WebAssembly.ModuleImportDescriptor;
    target: WebAssembly.ImportValue | undefined;
  }[] = [];
  const forwarding: WebAssembly.Imports = {};
  for (const wanted of WebAssembly.Module.imports(module)) {
    if (wanted.kind !== 'function' || findImport(sources, wanted) !== undefined) continue;
    const late = { wanted, target: undefined };
    pending.push(late);
    forwarding[wanted.module] = { ...forwarding[wanted.module], [wanted.name]: forwardTo(() => late.target) };
  }
  return {
    imports: linkImports(module, [...sources, forwarding]),
    bind(provided) {
      for (const late of pending) late.target = findImport([provided], late.wanted);
      const unknown = pending.filter(({ target }) => target === undefined);
      if (unknown.length > 0) throw new EngineError(unknownImports(unknown.map(({ wanted }) => describe(wanted))));
    },
  };
}

function forwardTo(target: () => WebAssembly.ImportValue | undefined): (...args: readonly unknown[]) => unknown {
  return (...args) => {
    const call = target();
    return typeof call === 'function' ? Reflect.apply(call, undefined, args) : undefined;
  };
}

function describe({ module, name, kind }: WebAssembly.ModuleImportDescriptor): string {
  return `${module}.${name} (${kind})`;
}

function findImport(
  sources: readonly WebAssembly.Imports[],
  wanted: WebAssembly.ModuleImportDescriptor,
): WebAssembly.ImportValue | undefined {
  for (const source of sources) {
    if (!Object.hasOwn(source, wanted.module)) continue;
    const names = source[wanted.module];
    if (names === undefined || !Object.hasOwn(names, wanted.name)) continue;
    const value = names[wanted.name];
    if (value !== undefined && fitsKind(value, wanted.kind)) return value;
  }
  return undefined;
}

function fitsKind(value: WebAssembly.ImportValue, kind: WebAssembly.ImportExportKind): boolean {
  if (kind === 'function') return typeof value === 'function';
  if (kind === 'memory') return value instanceof WebAssembly.Memory;
  if (kind === 'table') return value instanceof WebAssembly.Table;
  if (kind === 'tag') return value instanceof WebAssembly.Tag;
  return value instanceof WebAssembly.Global || (kind === 'global' && typeof value !== 'function');
}

/** Counts how many host functions of the embedder are on the stack: through them a guest cannot leave. */
export class HostCallDepth {
  #depth = 0;

  get inside(): boolean {
    return this.#depth > 0;
  }

  /** The same imports, their functions counting themselves while they run. The module `mvvm` is left out. */
  track(imports: WebAssembly.Imports): WebAssembly.Imports {
    const tracked: WebAssembly.Imports = {};
    for (const [moduleName, names] of Object.entries(imports)) {
      if (moduleName === IMPORT_MODULE) continue;
      tracked[moduleName] = Object.fromEntries(
        Object.entries(names).map(([name, value]) => [
          name,
          typeof value === 'function' ? this.#counting(value) : value,
        ]),
      );
    }
    return tracked;
  }

  // `Function` is how the WebAssembly types call it; all that is done with it is to apply it.
  #counting(call: WebAssembly.ImportValue & { readonly length: number }): (...args: readonly unknown[]) => unknown {
    return (...args) => {
      this.#depth += 1;
      try {
        return typeof call === 'function' ? Reflect.apply(call, undefined, args) : undefined;
      } finally {
        this.#depth -= 1;
      }
    };
  }
}
