/** Gives a module its imports, and refuses by name what nobody has, before anything of the module exists. */

import { IMPORT_MODULE } from '../abi/index.js';
import { EngineError, unknownImports } from './errors.js';

/**
 * Everything that a module imports, taken from the first source that has it.
 * @throws {EngineError} `unknown-import` with every import that no source has, or has as another kind
 */
export function linkImports(module: WebAssembly.Module, sources: readonly WebAssembly.Imports[]): WebAssembly.Imports {
  return link(WebAssembly.Module.imports(module), (wanted) => findImport(sources, wanted));
}

type Wanted = WebAssembly.ModuleImportDescriptor;

function link(
  all: readonly Wanted[],
  find: (wanted: Wanted) => WebAssembly.ImportValue | undefined,
): WebAssembly.Imports {
  const linked = new Map<string, Map<string, WebAssembly.ImportValue>>();
  const unknown: Wanted[] = [];
  for (const wanted of all) {
    const value = find(wanted);
    if (value === undefined) unknown.push(wanted);
    else linked.set(wanted.module, (linked.get(wanted.module) ?? new Map()).set(wanted.name, value));
  }
  refuseUnknown(unknown);
  return Object.fromEntries([...linked].map(([name, values]) => [name, Object.fromEntries(values)]));
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
  const pending: { readonly wanted: Wanted; target: WebAssembly.ImportValue | undefined }[] = [];
  const forward = (wanted: Wanted): WebAssembly.ImportValue | undefined => {
    if (wanted.kind !== 'function') return undefined;
    const late = { wanted, target: undefined };
    pending.push(late);
    return forwardTo(late);
  };
  return {
    imports: link(WebAssembly.Module.imports(module), (wanted) => findImport(sources, wanted) ?? forward(wanted)),
    bind(provided) {
      for (const late of pending) late.target = findImport([provided], late.wanted);
      refuseUnknown(pending.filter(({ target }) => target === undefined).map(({ wanted }) => wanted));
    },
  };
}

function refuseUnknown(unknown: readonly Wanted[]): void {
  if (unknown.length > 0) throw new EngineError(unknownImports(unknown.map(describe)));
}

function forwardTo(late: {
  readonly target: WebAssembly.ImportValue | undefined;
}): (...args: readonly unknown[]) => unknown {
  return (...args) => (typeof late.target === 'function' ? Reflect.apply(late.target, undefined, args) : undefined);
}

function describe({ module, name, kind }: Wanted): string {
  return `${module}.${name} (${kind})`;
}

function findImport(sources: readonly WebAssembly.Imports[], wanted: Wanted): WebAssembly.ImportValue | undefined {
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
    const trackOne = (value: WebAssembly.ImportValue): WebAssembly.ImportValue =>
      typeof value === 'function' ? this.#counting(value) : value;
    const trackAll = (names: WebAssembly.ModuleImports): WebAssembly.ModuleImports =>
      Object.fromEntries(Object.entries(names).map(([name, value]) => [name, trackOne(value)]));
    const others = Object.entries(imports).filter(([moduleName]) => moduleName !== IMPORT_MODULE);
    return Object.fromEntries(others.map(([moduleName, names]) => [moduleName, trackAll(names)]));
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
