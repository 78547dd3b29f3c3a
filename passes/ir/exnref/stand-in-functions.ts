/** The stand-ins of one module (stand-ins.ts): added when it is read, left out when it is written. */

import { IMPORT_MODULE } from '../../../runtime/abi/index.js';
import { refuse, reservedName } from '../../diagnostics.js';
import type { Expr } from '../binaryen.js';
import type { IrModule } from '../module.js';
import { fromExnref } from './from-exnref.js';
import { type StandIn, standIns } from './stand-ins.js';
import { toExnref } from './to-exnref.js';

/**
 * The bytes of a module with its exceptions in the older form, and stand-ins.
 * @param write gives the bytes of the module as it is
 * @throws {CompileError} `module/reserved-name`
 * @throws {MalformedBytes} where they cannot be translated
 */
export function writeWithStandIns(module: IrModule, write: () => Uint8Array): Uint8Array {
  for (const standIn of standIns) {
    const name = `${IMPORT_MODULE}.${standIn.base}`;
    if (module.hasFunction(name)) refuse(reservedName('function', name));
    addImport(module, name, standIn);
  }
  return fromExnref(write());
}

function addImport(module: IrModule, name: string, { base, params, results }: StandIn): void {
  module.addFunctionImport(name, { module: IMPORT_MODULE, base }, params, results);
}

export class StandInFunctions {
  readonly #module: IrModule;
  /** By their names, which Binaryen chooses anew when it reads the module. */
  readonly #byName: ReadonlyMap<string, StandIn>;

  /** @param module of bytes that {@link writeWithStandIns} has written */
  constructor(module: IrModule) {
    this.#module = module;
    const imported = module.functions().filter((fn) => fn.imported?.module === IMPORT_MODULE);
    this.#byName = new Map(
      standIns.map((standIn) => {
        const found = imported.find((fn) => fn.imported?.base === standIn.base);
        return [found?.name ?? standIn.base, standIn];
      }),
    );
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  makeCall(standIn: StandIn, operands: readonly Expr[]): Expr {
    for (const [name, each] of this.#byName) {
      if (each !== standIn) continue;
      // It may have been removed because nothing used it.
      if (!this.#module.hasFunction(name)) addImport(this.#module, name, standIn);
      return this.#module.make.call(name, operands, standIn.results);
    }
    throw new Error(`no function stands for ${standIn.base}`);
  }

  /**
   * The bytes of the module without stand-ins, its exceptions in the newer form.
   * @param write gives the bytes of the module as it is
   */
  writeWithout(write: () => Uint8Array): Uint8Array {
    const module = this.#module;
    // Functions with code come last, so that they can be left out without changing the number of any other.
    for (const [name, { params, results }] of this.#byName) {
      module.removeFunction(name);
      module.addFunction(name, params, results, [], module.make.unreachable());
    }
    const bytes = write();
    for (const [name, standIn] of this.#byName) {
      module.removeFunction(name);
      addImport(module, name, standIn);
    }
    return toExnref(bytes);
  }
}
