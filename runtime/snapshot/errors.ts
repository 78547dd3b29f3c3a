/**
 * Everything that can be wrong with a snapshot, as data. One function per diagnostic; {@link SnapshotError} carries it.
 * The codes are stable: programs and tests rely on them, never on the prose.
 */

/** Every code with its meaning; docs/snapshot-format.md prints this table. */
export const snapshotErrorCodes = {
  'snapshot/bad-magic': 'the bytes are not a snapshot at all',
  'snapshot/version': 'written in a format version that this reader does not know',
  'snapshot/truncated': 'too short to be a snapshot',
  'snapshot/trailing-bytes': 'a whole snapshot, with more bytes behind it',
  'snapshot/digest': 'damaged or incomplete: the SHA-256 does not fit the bytes',
  'snapshot/section': 'a section is missing, duplicated, out of order, unknown or of the wrong size',
  'snapshot/malformed': 'a field holds what no writer writes',
  'snapshot/header': 'the header is not the strict JSON object it must be',
  'snapshot/json': 'the WASI state is not strict JSON',
  'snapshot/limit': "more memory, words, tables or bytes than the reader's limits allow",
  'snapshot/compression': 'a compressed block does not give the bytes it promises, or its method is not available here',
  'snapshot/encrypted': 'encrypted and no cipher was given, or the reverse, or the cipher refused a block',
  'snapshot/unsigned': 'a signature is required and there is none',
  'snapshot/untrusted-signer': 'signed with a key that is not among the trusted ones',
  'snapshot/bad-signature': 'the signature does not belong to these bytes and this key',
  'snapshot/needs-parent': 'a delta was given where a base is needed',
  'snapshot/wrong-parent': 'a delta does not continue the snapshot before it',
  'snapshot/missing-link': 'a delta of a chain is not there, although later ones are',
  'snapshot/other-module': 'made by another module, policy, compiler or ABI than the one at hand',
  'snapshot/frames': 'the stack frames do not fit the stable map of the module',
  'snapshot/state': 'globals, segments, tables, memories or entry do not fit the module',
  'snapshot/target': 'the memory given to restore into has the wrong size',
  'snapshot/unwritable': 'the state given to the writer is not one that a reader would accept',
  'snapshot/needs-async': 'a hook answers with a promise where the synchronous functions were called',
  'snapshot/not-a-file': 'the path is a directory, FIFO, device or socket',
  'snapshot/io': 'the operating system refused to read or write the file',
} as const;

export type SnapshotErrorCode = keyof typeof snapshotErrorCodes;

/** What was wrong with what (`message`), and what to do about it (`hint`). */
export interface SnapshotDiagnostic {
  readonly code: SnapshotErrorCode;
  readonly message: string;
  readonly hint: string;
}

/** The one error type of everything that reads, checks or writes snapshots. */
export class SnapshotError extends Error {
  override name = 'SnapshotError';
  readonly code: SnapshotErrorCode;
  readonly hint: string;

  constructor(diagnostic: SnapshotDiagnostic, options?: ErrorOptions) {
    super(printable(diagnostic.message), options);
    this.code = diagnostic.code;
    this.hint = diagnostic.hint;
  }
}

/**
 * Messages quote what stands in files that others made. On its way to a terminal none of it may act (escape sequences,
 * line breaks) or drown what we say.
 */
function printable(message: string): string {
  const quiet = message.replace(/\p{Cc}|\p{Cf}|\p{Zl}|\p{Zp}/gu, '\ufffd');
  return quiet.length <= MESSAGE_LENGTH ? quiet : `${quiet.slice(0, MESSAGE_LENGTH)}...`;
}

const MESSAGE_LENGTH = 1000;

/** The same error, saying which file it is about. */
export function inFile(error: SnapshotError, path: string): SnapshotError {
  return new SnapshotError(
    { code: error.code, message: `${path}: ${error.message}`, hint: error.hint },
    { cause: error },
  );
}

/** Works across realms, where `instanceof` does not. */
export function isSnapshotError(value: unknown): value is SnapshotError {
  return (
    typeof value === 'object' && value !== null && 'name' in value && value.name === 'SnapshotError' && 'code' in value
  );
}

const copyAgain = 'copy the file again or use an earlier snapshot';
const reportIt = 'do not use this snapshot; if mvvm itself wrote it, report it';

export const badMagic = (length: number): SnapshotDiagnostic => ({
  code: 'snapshot/bad-magic',
  message: length === 0 ? 'is empty' : 'is not an mvvm snapshot',
  hint: 'give the file that `mvvm checkpoint` wrote (usually *.mvvm.snap)',
});

export const unknownVersion = (found: number, known: number): SnapshotDiagnostic => ({
  code: 'snapshot/version',
  message: `is written in snapshot format version ${found}, this mvvm reads version ${known}`,
  hint: found > known ? 'update mvvm' : 'restore it with the mvvm that wrote it',
});

export const truncated = (found: number, needed: number): SnapshotDiagnostic => ({
  code: 'snapshot/truncated',
  message: `ends after ${found} bytes, at least ${needed} were expected`,
  hint: copyAgain,
});

export const trailingBytes = (count: number): SnapshotDiagnostic => ({
  code: 'snapshot/trailing-bytes',
  message: `has ${count} more bytes behind its end`,
  hint: 'a snapshot is one whole file: cut off what was appended, or copy it again',
});

export const badDigest = (reason: string): SnapshotDiagnostic => ({
  code: 'snapshot/digest',
  message: `is damaged or incomplete: its SHA-256 does not fit its bytes${reason === '' ? '' : ` (${reason})`}`,
  hint: copyAgain,
});

export const badSection = (what: string): SnapshotDiagnostic => ({
  code: 'snapshot/section',
  message: what,
  hint: reportIt,
});

export const malformed = (what: string): SnapshotDiagnostic => ({
  code: 'snapshot/malformed',
  message: what,
  hint: reportIt,
});

export const badHeader = (why: string): SnapshotDiagnostic => ({
  code: 'snapshot/header',
  message: `has a header that is not valid: ${why}`,
  hint: reportIt,
});

export const badJson = (why: string): SnapshotDiagnostic => ({
  code: 'snapshot/json',
  message: `has a WASI state that is not valid: ${why}`,
  hint: reportIt,
});

export const overLimit = (what: string, claimed: number, limit: number): SnapshotDiagnostic => ({
  code: 'snapshot/limit',
  message: `claims ${claimed} ${what}, the limit is ${limit}`,
  hint: 'raise the limit if you trust the snapshot',
});

export const outOfMemory = (bytes: number): SnapshotDiagnostic => ({
  code: 'snapshot/limit',
  message: `needs ${bytes} bytes of memory in one piece, which this host does not give`,
  hint: 'restore on a host with more memory',
});

export const noCodec = (method: string): SnapshotDiagnostic => ({
  code: 'snapshot/compression',
  message: `uses ${method} compression, which this host does not offer`,
  hint: method === 'zstd' ? 'use a host with zstd (Node 22.15 or newer) or write with gzip' : 'choose no compression',
});

export const badBlock = (why: string): SnapshotDiagnostic => ({
  code: 'snapshot/compression',
  message: `has a compressed block that does not unpack: ${why}`,
  hint: reportIt,
});

export const needsCipher = (): SnapshotDiagnostic => ({
  code: 'snapshot/encrypted',
  message: 'is encrypted',
  hint: 'give the key it was encrypted with',
});

export const notEncrypted = (): SnapshotDiagnostic => ({
  code: 'snapshot/encrypted',
  message: 'is not encrypted, but a key was given',
  hint: 'restore it without a key, if you trust it',
});

export const cannotDecrypt = (): SnapshotDiagnostic => ({
  code: 'snapshot/encrypted',
  message: 'does not decrypt: the key is wrong or the bytes were changed',
  hint: 'give the key it was encrypted with',
});

export const unsigned = (): SnapshotDiagnostic => ({
  code: 'snapshot/unsigned',
  message: 'is not signed, and a signature is required',
  hint: 'have it signed with a trusted key, or do not require a signature',
});

export const untrustedSigner = (key: string): SnapshotDiagnostic => ({
  code: 'snapshot/untrusted-signer',
  message: `is signed with the key ${key}, which is not among the trusted keys`,
  hint: 'trust that key if you know whose it is',
});

export const badSignature = (): SnapshotDiagnostic => ({
  code: 'snapshot/bad-signature',
  message: 'has a signature that does not fit its bytes',
  hint: 'do not use this snapshot; get it from its author again',
});

export const needsParent = (parent: string): SnapshotDiagnostic => ({
  code: 'snapshot/needs-parent',
  message: `holds only what changed since the snapshot ${parent}`,
  hint: 'give all snapshots of the chain, the base first, or fold them with `mvvm snapshot compact`',
});

export const wrongParent = (expected: string, found: string): SnapshotDiagnostic => ({
  code: 'snapshot/wrong-parent',
  message: `continues ${found === '' ? 'nothing (it is a base)' : `the snapshot ${found}`}, not the one before it, ${expected}`,
  hint: 'give the snapshots of one chain in the order in which they were written',
});

export const chainChanged = (what: string): SnapshotDiagnostic => ({
  code: 'snapshot/wrong-parent',
  message: `does not fit the snapshot it continues: ${what}`,
  hint: reportIt,
});

export const missingLink = (name: string, later: string): SnapshotDiagnostic => ({
  code: 'snapshot/missing-link',
  message: `has lost a part of its chain: there is ${later}, but no ${name}`,
  hint: 'bring the missing file back, or remove the later ones to go on from an earlier state',
});

export const otherModule = (what: string, found: string, expected: string): SnapshotDiagnostic => ({
  code: 'snapshot/other-module',
  message: `was made by ${what} ${found}, this module has ${expected}`,
  hint: 'restore with exactly the compiled module that was running',
});

export const badFrames = (why: string): SnapshotDiagnostic => ({
  code: 'snapshot/frames',
  message: `has stack frames that cannot be: ${why}`,
  hint: reportIt,
});

export const badState = (why: string): SnapshotDiagnostic => ({
  code: 'snapshot/state',
  message: `does not fit the module: ${why}`,
  hint: reportIt,
});

export const badTarget = (memory: number, wanted: number, given: number): SnapshotDiagnostic => ({
  code: 'snapshot/target',
  message: `needs ${wanted} bytes for memory ${memory}, the memory to restore into has ${given}`,
  hint: 'grow the memory to exactly the size asked for; it must not be larger',
});

export const unwritable = (why: string): SnapshotDiagnostic => ({
  code: 'snapshot/unwritable',
  message: `cannot be written: ${why}`,
  hint: 'this is a fault of the program that calls the writer',
});

export const needsAsync = (): SnapshotDiagnostic => ({
  code: 'snapshot/needs-async',
  message: 'uses a hook that answers with a promise',
  hint: 'call the asynchronous function, or give synchronous hooks',
});

export const notAFile = (kind: string): SnapshotDiagnostic => ({
  code: 'snapshot/not-a-file',
  message: `is a ${kind}, not a file`,
  hint: 'name a regular file',
});

export const ioFailed = (action: string, reason: string): SnapshotDiagnostic => ({
  code: 'snapshot/io',
  message: `cannot be ${action}: ${reason}`,
  hint: 'check the path, its permissions and the space that is left',
});
