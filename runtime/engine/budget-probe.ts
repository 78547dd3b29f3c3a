/**
 * Hears how much budget a module has left where no poll tells: at the end of a run, and when a host call is left.
 *
 * The module alone knows, and tells when a function is entered whose entry is watched. So one is called; its poll comes
 * before its first instruction and ends in a trap, so nothing of the guest runs.
 */

import { exports as abiExports, type ExportInfo, isReference, type StableMap } from '../abi/index.js';
import { functionExport, zeroArguments } from './entry.js';

const heard = Symbol('the budget was heard');

/** Whether JavaScript has zeros for all of its parameters. */
const isCallable = ({ signature: { params } }: ExportInfo): boolean =>
  !params.some((type) => type === 'v128' || isReference(type));

export class BudgetProbe {
  readonly #entry: ExportInfo | undefined;
  #asking = false;

  constructor(map: StableMap) {
    this.#entry = map.exports.find((entry) => entry.function >= 0 && isCallable(entry));
  }

  /** Whether the poll that has come is the answer: it ends with {@link stopHere}. */
  get asking(): boolean {
    return this.#asking;
  }

  stopHere(): never {
    throw heard;
  }

  /** Makes the module poll, if it has an export that can. Leaves `mvvm.watch` on. */
  ask(exports: WebAssembly.Exports): void {
    if (this.#entry === undefined) return;
    this.#asking = true;
    functionExport(exports, abiExports.watch)(1);
    try {
      functionExport(exports, this.#entry.name)(...zeroArguments(this.#entry));
    } catch {
      // That is how it ends.
    }
    this.#asking = false;
  }
}
