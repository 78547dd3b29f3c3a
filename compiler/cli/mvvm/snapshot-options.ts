/** The command line of `mvvm snapshot`: what it does with snapshot files, the options of each action, and its help. */

import { findClosest } from '../closest.js';
import { CommandLineError } from '../errors.js';
import { wrongValue } from '../explain-values.js';
import { layOutHelp } from '../help-layout.js';
import { dashed, type Option, type OptionTable } from '../option-table.js';
import { splitWords } from '../split-words.js';
import { compressions, type StorageRequest, storageDescriptions, storageRequest } from './storage-options.js';
import { type SnapshotValues, snapshotValues } from './values.js';

export interface CompactRequest {
  readonly kind: 'compact';
  /** The base; its deltas are found beside it. */
  readonly snapshot: string;
  /** Where the one file goes: the base's own place, if nothing else is said. */
  readonly output: string;
  readonly storage: StorageRequest;
  readonly debug: boolean;
}

export interface VerifyRequest {
  readonly kind: 'verify';
  /** The base; its deltas are found beside it. */
  readonly snapshot: string;
  /** The module, when named. */
  readonly target?: string;
  readonly storage: StorageRequest;
  readonly json: boolean;
  readonly debug: boolean;
}

export type SnapshotRequest = CompactRequest | VerifyRequest | { readonly kind: 'snapshot-help' };

export const snapshotActions = ['compact', 'verify'] as const;
type Action = (typeof snapshotActions)[number];

export const snapshotSummary = 'fold what a run that went on has left into one file; say whether a snapshot is sound';
export const snapshotUsage: string = `mvvm snapshot <${snapshotActions.join('|')}> [options] <x.mvvm.snap>`;

/** By their long names, each with the actions that have it. */
const actionsOf: Readonly<Record<keyof SnapshotValues, readonly Action[]>> = {
  output: ['compact'],
  compression: ['compact'],
  'sign-key': ['compact'],
  'verify-key': snapshotActions,
  'encryption-key': snapshotActions,
  target: ['verify'],
  json: ['verify'],
  debug: snapshotActions,
  help: snapshotActions,
};

const value = { group: 'Options', type: 'string' } as const;
const flag = { group: 'Options', type: 'boolean' } as const;

export const snapshotOptions: Readonly<Record<keyof SnapshotValues, Option>> = {
  output: {
    ...value,
    alias: ['o'],
    description: 'compact: where it goes; then the old files stay',
    shownDefault: 'in place of the base',
  },
  compression: { ...value, description: `compact: ${lower(storageDescriptions.compression)}`, choices: compressions },
  'sign-key': { ...value, description: `compact: ${lower(storageDescriptions['sign-key'])}` },
  'verify-key': { ...value, description: storageDescriptions['verify-key'] },
  'encryption-key': { ...value, description: storageDescriptions['encryption-key'] },
  target: {
    ...value,
    alias: ['t'],
    description: 'verify: the compiled module that it has to fit',
    shownDefault: 'the one beside it, if that made it',
  },
  json: { ...flag, description: 'verify: one JSON object for programs, instead of a line for people' },
  debug: { ...flag, alias: ['i'], description: 'Stack traces of errors' },
  help: { ...flag, alias: ['h'], description: 'Show this text' },
};

export function snapshotHelp(columns: number | undefined): string {
  return layOutHelp(
    {
      usage: snapshotUsage,
      text:
        'compact folds a base and the deltas beside it (x.mvvm.snap.<digest>.1, .2, ...), which a run with ' +
        '--checkpoint-every leaves, into one file that needs no other. It is stored as the options say, whatever the old ' +
        'files were. verify reads a snapshot and its deltas as a restore does, and runs nothing: digests, signatures, ' +
        'structure, and with the module every frame, global and table.',
      options: snapshotOptions,
      examples: [
        ['mvvm snapshot verify job.snap', 'is it whole, and does it fit its module?'],
        ['mvvm snapshot verify --json job.snap', 'the same for a program'],
        ['mvvm snapshot compact job.snap -o one.snap', 'one file to copy elsewhere'],
      ],
      notes: ['Status: 0 done, or sound; 1 not a sound chain (nothing was changed); 2 wrong command line.'],
    },
    columns,
  );
}

const seeHelp = '`mvvm snapshot --help` explains it';

/** @throws {CommandLineError} */
export function parseSnapshotCommand(words: readonly string[]): SnapshotRequest {
  const table: OptionTable = snapshotOptions;
  const { given, operands } = splitWords(words, table, seeHelp);
  const result = snapshotValues.safeParse(given);
  if (!result.success) throw wrongValue(result.error.issues, seeHelp);
  const values = result.data;
  if (values.help) return { kind: 'snapshot-help' };
  const [word, snapshot, ...others] = operands;
  const action = findAction(word);
  for (const [name, owners] of Object.entries(actionsOf)) {
    if (given[name] === undefined || owners.includes(action)) continue;
    throw new CommandLineError(`${dashed(name)} is an option of mvvm snapshot ${owners.join(' and ')}`, seeHelp);
  }
  if (snapshot === undefined) {
    throw new CommandLineError('no snapshot given', `write mvvm snapshot ${action} x.mvvm.snap`);
  }
  if (others.length > 0) {
    throw new CommandLineError('more than one snapshot given', 'its deltas are found by themselves');
  }
  const { output = snapshot, target, json, debug } = values;
  const storage = storageRequest(values);
  if (action === 'compact') return { kind: 'compact', snapshot, output, storage, debug };
  return { kind: 'verify', snapshot, storage, json, debug, ...(target === undefined ? {} : { target }) };
}

function findAction(word: string | undefined): Action {
  if (word === undefined) throw new CommandLineError('no action given', seeHelp);
  const action = snapshotActions.find((known) => known === word);
  if (action !== undefined) return action;
  const closest = findClosest(word, snapshotActions);
  throw new CommandLineError(
    `unknown action ${word}`,
    closest === undefined ? seeHelp : `did you mean mvvm snapshot ${closest}?`,
  );
}

function lower(text: string): string {
  return `${text.charAt(0).toLowerCase()}${text.slice(1)}`;
}
