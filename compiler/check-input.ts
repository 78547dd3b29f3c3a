/**
 * Looks at the bytes of a module before anything is built from them, so that the usual mistakes (an empty file, half a
 * download, a text file, a component, a module that was compiled already) get an answer of their own.
 *
 * Only the outline is read: the header and the section boundaries. What is inside the sections is the reader's matter.
 */

import { CompileError, type Diagnostic } from '../passes/index.js';
import { sections } from '../runtime/abi/index.js';
import { alreadyCompiled, componentInput, emptyInput, notWasm, truncatedInput, unknownVersion } from './diagnostics.js';

const headerLength = 8;
const magic = [0x00, 0x61, 0x73, 0x6d];
/** The second half of a component's version field; 0 for a core module. */
const componentLayer = 1;

const sectionNames = [
  'a custom section',
  'the type section',
  'the import section',
  'the function section',
  'the table section',
  'the memory section',
  'the global section',
  'the export section',
  'the start section',
  'the element section',
  'the code section',
  'the data section',
  'the data count section',
  'the tag section',
] as const;

const ours: readonly string[] = [sections.map, sections.info];

/** What people pass by mistake, by how it begins. */
const lookalikes: readonly { readonly begins: string | RegExp; readonly what: string; readonly hint?: string }[] = [
  {
    begins: /^\s*(\(;|;;|\(module|\(component)/,
    what: 'WebAssembly text',
    hint: 'assemble it first, for example with `wat2wasm` or `wasm-as`',
  },
  { begins: '\x7fELF', what: 'a native program (ELF)', hint: 'build it for a WebAssembly target such as wasm32-wasi' },
  { begins: 'MZ', what: 'a Windows program', hint: 'build it for a WebAssembly target such as wasm32-wasi' },
  { begins: '\x1f\x8b', what: 'a gzip file', hint: 'unpack it first' },
  { begins: 'PK\x03\x04', what: 'a zip file', hint: 'unpack it first' },
  { begins: 'BC\xc0\xde', what: 'LLVM bitcode', hint: 'link it for a WebAssembly target first' },
  { begins: /^\s*[{[]/, what: 'a JSON file' },
  { begins: /^\s*</, what: 'an HTML or XML page', hint: 'check the address it was downloaded from' },
];

/**
 * Returns when the bytes have the outline of a core module that was not compiled by us.
 * @throws {CompileError} `input/*`, see diagnostics.ts
 */
export function checkInput(bytes: Uint8Array): void {
  const problem = findProblem(bytes);
  if (problem !== undefined) throw new CompileError(problem);
}

function findProblem(bytes: Uint8Array): Diagnostic | undefined {
  if (bytes.length === 0) return emptyInput();
  const matching = Math.min(bytes.length, magic.length);
  if (magic.slice(0, matching).some((byte, at) => bytes[at] !== byte)) return findLookalike(bytes);
  if (bytes.length < headerLength) return truncatedInput(bytes.length, 'its header');

  const view = new DataView(bytes.buffer, bytes.byteOffset, headerLength);
  if (view.getUint16(6, true) === componentLayer) return componentInput();
  const version = view.getUint32(4, true);
  if (version !== 1) return unknownVersion(version);
  return findBrokenOutline(bytes);
}

function findLookalike(bytes: Uint8Array): Diagnostic {
  const start = String.fromCharCode(...bytes.subarray(0, 64)).replace(/^\xef\xbb\xbf/, '');
  const match = lookalikes.find(({ begins }) =>
    typeof begins === 'string' ? start.startsWith(begins) : begins.test(start),
  );
  return notWasm(match?.what, match?.hint);
}

function findBrokenOutline(bytes: Uint8Array): Diagnostic | undefined {
  let at = headerLength;
  while (at < bytes.length) {
    const id = bytes[at] ?? 0;
    const what = sectionNames[id] ?? `section ${id}`;
    const size = readLength(bytes, at + 1);
    if (size === undefined) return truncatedInput(bytes.length, what);
    // A number that is no LEB128 of 32 bits: damaged rather than short, and the reader says so better.
    if (size === 'malformed') return undefined;
    const end = size.after + size.value;
    if (end > bytes.length) return truncatedInput(bytes.length, what);
    const name = id === 0 ? readName(bytes, size.after, end) : undefined;
    if (name !== undefined && ours.includes(name)) return alreadyCompiled(name);
    at = end;
  }
  return undefined;
}

/** An unsigned LEB128 of at most 32 bits; undefined when the bytes end within it. */
function readLength(bytes: Uint8Array, at: number): { value: number; after: number } | 'malformed' | undefined {
  let value = 0;
  for (let index = 0; index < 5; index++) {
    const byte = bytes[at + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, after: at + index + 1 };
  }
  return 'malformed';
}

function readName(bytes: Uint8Array, at: number, end: number): string | undefined {
  const length = readLength(bytes, at);
  if (length === undefined || length === 'malformed' || length.after + length.value > end) return undefined;
  return Buffer.from(bytes.subarray(length.after, length.after + length.value)).toString('utf8');
}
