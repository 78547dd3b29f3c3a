/** `mvvm snapshot`: what can be done with snapshot files, without running anything. */

import { parseArgs } from 'node:util';
import { compactSnapshotChain } from '../../../runtime/node/index.js';
import type { DescribedOption } from '../completion/index.js';
import { CommandLineError } from '../mvvmc/errors.js';
import { requireSnapshot } from './given-files.js';
import { compactedText } from './messages.js';

export interface CompactRequest {
  readonly kind: 'compact';
  /** The base; its deltas are found beside it. */
  readonly snapshot: string;
  /** Where the one file goes: the base's own place, if nothing else is said. */
  readonly output: string;
  readonly debug: boolean;
}

export type SnapshotRequest = CompactRequest | { readonly kind: 'snapshot-help' };

export const snapshotActions: readonly string[] = ['compact'];
export const snapshotSummary = 'fold the deltas of a run that went on into one file';
export const snapshotUsage = 'mvvm snapshot compact <x.mvvm.snap> [-o new.snap]';

export const snapshotHelp: string = `${snapshotUsage}

Folds a base and the deltas beside it (x.mvvm.snap.<digest>.1, .2, ...), which a run with
--checkpoint-every leaves, into one file that needs no other.

  -o, --output  Where it goes; then the old files stay             [default: in place of the base]
  -i, --debug   Stack traces of errors
  -h, --help    Show this text

Status: 0 done, 1 not a sound chain (nothing was changed), 2 wrong command line.
`;

/** As in {@link snapshotHelp}. */
export const snapshotOptions: readonly DescribedOption[] = [
  { names: ['output', 'o'], description: 'Where it goes', takesValue: true, choices: [] },
  { names: ['debug', 'i'], description: 'Stack traces of errors', takesValue: false, choices: [] },
  { names: ['help', 'h'], description: 'Show this text', takesValue: false, choices: [] },
];

const seeHelp = '`mvvm snapshot --help` explains it';

/** @throws {CommandLineError} */
export function parseSnapshotCommand(words: readonly string[]): SnapshotRequest {
  const { values, positionals } = splitWords(words);
  if (values.help === true) return { kind: 'snapshot-help' };
  const [action, snapshot, ...others] = positionals;
  if (action !== 'compact') {
    throw new CommandLineError(action === undefined ? 'no action given' : `unknown action ${action}`, seeHelp);
  }
  if (snapshot === undefined) throw new CommandLineError('no snapshot given', `write ${snapshotUsage}`);
  if (others.length > 0)
    throw new CommandLineError('more than one snapshot given', 'its deltas are found by themselves');
  return { kind: 'compact', snapshot, output: values.output ?? snapshot, debug: values.debug === true };
}

function splitWords(words: readonly string[]): {
  readonly values: { readonly output?: string; readonly debug?: boolean; readonly help?: boolean };
  readonly positionals: readonly string[];
} {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        output: { type: 'string', short: 'o' },
        debug: { type: 'boolean', short: 'i' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    // Node's explanations go on with advice about its own interface.
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('. ');
    throw new CommandLineError(reason, seeHelp);
  }
}

/**
 * @returns what to tell the person
 * @throws {FileError} when there is nothing
 * @throws {SnapshotError} when it is not a sound chain
 */
export function compact({ snapshot, output }: CompactRequest): string {
  requireSnapshot(snapshot, 'check the path');
  const { bytes, folded } = compactSnapshotChain(snapshot, output);
  return compactedText(output, bytes, folded.length - 1);
}
