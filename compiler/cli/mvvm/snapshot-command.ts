/** `mvvm snapshot`: what can be done with snapshot files, without running anything. */

import { parseArgs } from 'node:util';
import { compactSnapshotChain, decodingOf, encodingOf } from '../../../runtime/node/index.js';
import type { DescribedOption } from '../completion/index.js';
import { findClosest } from '../mvvmc/closest.js';
import { CommandLineError } from '../mvvmc/errors.js';
import { requireSnapshot } from './given-files.js';
import { compactedText } from './messages.js';
import { drawProgress } from './progress-line.js';
import { compressions, readStorage, type StorageRequest, storageDescriptions } from './storage-options.js';

export interface CompactRequest {
  readonly kind: 'compact';
  /** The base; its deltas are found beside it. */
  readonly snapshot: string;
  /** Where the one file goes: the base's own place, if nothing else is said. */
  readonly output: string;
  readonly storage: StorageRequest;
  readonly debug: boolean;
}

export type SnapshotRequest = CompactRequest | { readonly kind: 'snapshot-help' };

export const snapshotActions: readonly string[] = ['compact'];
export const snapshotSummary = 'fold the deltas of a run that went on into one file';
export const snapshotUsage = 'mvvm snapshot compact <x.mvvm.snap> [-o new.snap]';

/** What comes in front of the descriptions, and where they are broken. */
const DESCRIPTION_COLUMN = 26;
const DESCRIPTION_WIDTH = 70;

interface SnapshotOption extends DescribedOption {
  readonly type: 'string' | 'boolean';
  readonly multiple?: boolean;
}

const value = { takesValue: true, choices: [], type: 'string' } as const;
const flag = { takesValue: false, choices: [], type: 'boolean' } as const;

/** Each with its long name first. */
export const snapshotOptions: readonly SnapshotOption[] = [
  {
    names: ['output', 'o'],
    description: 'Where it goes; then the old files stay. Default: in place of the base',
    ...value,
  },
  { names: ['compression'], description: storageDescriptions.compression, ...value, choices: compressions },
  { names: ['sign-key'], description: storageDescriptions['sign-key'], ...value },
  { names: ['verify-key'], description: storageDescriptions['verify-key'], ...value, multiple: true },
  { names: ['encryption-key'], description: storageDescriptions['encryption-key'], ...value },
  { names: ['debug', 'i'], description: 'Stack traces of errors', ...flag },
  { names: ['help', 'h'], description: 'Show this text', ...flag },
];

const longNames = snapshotOptions.flatMap(({ names: [long = ''] }) => [long]);

export const snapshotHelp: string = `${snapshotUsage}

Folds a base and the deltas beside it (x.mvvm.snap.<digest>.1, .2, ...), which a run with
--checkpoint-every leaves, into one file that needs no other. It is stored as the options say,
whatever the old files were.

${snapshotOptions.map(helpLines).join('\n')}

Status: 0 done, 1 not a sound chain (nothing was changed), 2 wrong command line.
`;

function helpLines({ names, description }: SnapshotOption): string {
  const [long = '', short] = names;
  const left = `  ${short === undefined ? '    ' : `-${short}, `}--${long}`.padEnd(DESCRIPTION_COLUMN);
  const lines: string[] = [];
  for (const word of description.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= DESCRIPTION_WIDTH) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return left + lines.join(`\n${' '.repeat(DESCRIPTION_COLUMN)}`);
}

const seeHelp = '`mvvm snapshot --help` explains it';

/** @throws {CommandLineError} */
export function parseSnapshotCommand(words: readonly string[]): SnapshotRequest {
  const { values, positionals } = splitWords(words);
  if (values.help === true) return { kind: 'snapshot-help' };
  const [action, snapshot, ...others] = positionals;
  if (action !== 'compact') {
    if (action === undefined) throw new CommandLineError('no action given', seeHelp);
    const closest = findClosest(action, snapshotActions);
    const hint = closest === undefined ? seeHelp : `did you mean mvvm snapshot ${closest}?`;
    throw new CommandLineError(`unknown action ${action}`, hint);
  }
  if (snapshot === undefined) throw new CommandLineError('no snapshot given', `write ${snapshotUsage}`);
  if (others.length > 0)
    throw new CommandLineError('more than one snapshot given', 'its deltas are found by themselves');
  const { output = snapshot, debug = false } = values;
  return { kind: 'compact', snapshot, output, storage: storageRequest(values), debug };
}

interface SnapshotValues {
  readonly output?: string;
  readonly compression?: string;
  readonly 'sign-key'?: string;
  readonly 'verify-key'?: readonly string[];
  readonly 'encryption-key'?: string;
  readonly debug?: boolean;
  readonly help?: boolean;
}

function storageRequest({ compression: named, ...keys }: SnapshotValues): StorageRequest {
  const compression = compressions.find((known) => known === named);
  if (named !== undefined && compression === undefined) {
    throw new CommandLineError(`--compression must be ${compressions.join(' or ')}, not ${named}`, seeHelp);
  }
  return {
    compression,
    'sign-key': keys['sign-key'],
    'verify-key': keys['verify-key'],
    'encryption-key': keys['encryption-key'],
  };
}

function splitWords(words: readonly string[]): {
  readonly values: SnapshotValues;
  readonly positionals: readonly string[];
} {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: Object.fromEntries(
        snapshotOptions.map(({ names: [long = '', short], type, multiple = false }) => [
          long,
          { type, multiple, ...(short === undefined ? {} : { short }) },
        ]),
      ),
    });
  } catch (error) {
    // Node's explanations go on with advice about its own interface.
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('. ');
    const closest = findClosest(/^Unknown option '--([\w-]+)'/.exec(reason)?.[1] ?? '', longNames);
    throw new CommandLineError(reason, closest === undefined ? seeHelp : `did you mean --${closest}?`);
  }
}

/**
 * @returns what to tell the person
 * @throws {FileError} when there is nothing
 * @throws {SnapshotError} when it is not a sound chain
 */
export function compact({ snapshot, output, storage: wanted }: CompactRequest): string {
  requireSnapshot(snapshot, 'check the path');
  const storage = readStorage(wanted);
  const reading = { ...decodingOf(storage), ...drawProgress() };
  const writing = { ...encodingOf(storage), ...drawProgress() };
  const { bytes, folded } = compactSnapshotChain(snapshot, output, reading, writing);
  return compactedText(output, bytes, folded.length - 1);
}
