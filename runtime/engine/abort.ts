/**
 * Ends a guest from inside a host function in a way that the guest cannot catch.
 *
 * A JavaScript exception that passes through WebAssembly frames is caught by `catch_all` - C++'s `catch (...)` - so a
 * thrown exit could be swallowed. A trap is not. So the reason is kept here and a trap is thrown, by a module that does
 * nothing else.
 */

/**
 *     (module (func (export "t") unreachable))
 */
const trapModule = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00], // magic, version
  ...[0x01, 0x04, 0x01, 0x60, 0x00, 0x00], // type: () -> ()
  ...[0x03, 0x02, 0x01, 0x00], // one function of it
  ...[0x07, 0x05, 0x01, 0x01, 0x74, 0x00, 0x00], // exported as "t"
  ...[0x0a, 0x05, 0x01, 0x03, 0x00, 0x00, 0x0b], // its body
);

/** Why a guest was ended by its host. */
export type AbortReason =
  | { readonly kind: 'exit'; readonly status: number }
  | { readonly kind: 'error'; readonly error: unknown };

let trapExport: unknown;

/** One for all guests: compiling it takes longer than most of what a guest begins with. */
function takeTrap(): unknown {
  trapExport ??= new WebAssembly.Instance(new WebAssembly.Module(trapModule)).exports['t'];
  return trapExport;
}

export class Abort {
  /** Taken before the guest runs: then there is stack enough to compile it. */
  readonly #trap = takeTrap();
  #reason: AbortReason | undefined;

  /** Leaves all frames of the guest; the caller of the guest finds the reason by {@link take}. */
  throw(reason: AbortReason): never {
    this.#reason ??= reason;
    if (typeof this.#trap === 'function') this.#trap();
    throw new Error('a trap did not trap');
  }

  /** The reason, once; undefined when the guest ended of itself. */
  take(): AbortReason | undefined {
    const reason = this.#reason;
    this.#reason = undefined;
    return reason;
  }

  /** The same function, whose errors the guest cannot catch. */
  guard<A extends readonly unknown[], R>(call: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      try {
        return call(...args);
      } catch (error) {
        return this.throw({ kind: 'error', error });
      }
    };
  }
}
