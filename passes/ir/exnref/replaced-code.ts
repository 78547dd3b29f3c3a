/** Bytes of code with others in the place of some of its instructions. */

import type { ByteWriter } from '../../../runtime/abi/index.js';
import { joinBytes } from '../sections.js';

export class ReplacedCode {
  readonly #code: Uint8Array;
  readonly #parts: Uint8Array[] = [];
  #copied = 0;

  constructor(code: Uint8Array) {
    this.#code = code;
  }

  /** From begin to end of the code: each call for what is behind that of the call before. */
  replace({ offset, end }: { readonly offset: number; readonly end: number }, replacement: ByteWriter): void {
    this.#parts.push(this.#code.subarray(this.#copied, offset), replacement.finish());
    this.#copied = end;
  }

  finish(): Uint8Array {
    return joinBytes([...this.#parts, this.#code.subarray(this.#copied)]);
  }
}
