/**
 * Whether the engine that the compiler runs in takes bytes for a valid module. Binaryen's reader believes more than it
 * checks: what is invalid would come to light only behind the passes, as a fault of theirs.
 */

/**
 * What the engine has against a module; undefined when it is valid. An engine also objects to proposals that it does
 * not know, so an objection alone does not make a module invalid.
 */
export function findEngineObjection(bytes: Uint8Array): string | undefined {
  if (WebAssembly.validate(bytes)) return undefined;
  try {
    new WebAssembly.Module(bytes);
    return 'it does not validate';
  } catch (error) {
    const text = String(typeof error === 'object' && error !== null ? Reflect.get(error, 'message') : error);
    return text.replace(/^WebAssembly\.Module(\(\):| doesn't \w+:) */, '');
  }
}

// Every engine has it, but no ECMAScript library that this layer is compiled against declares it.
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => object;
};
