/** The command line of mvvm: words to a request. The first word is the command, options.ts says what it takes. */

import type { AddressGrant } from '../../../runtime/index.js';
import type { GrantedDirectory } from '../../../runtime/node/index.js';
import { findClosest } from '../closest.js';
import { type CompletionRequest, parseCompletion } from '../completion/index.js';
import { CommandLineError } from '../errors.js';
import { wrongValue } from '../explain-values.js';
import { dashed } from '../option-table.js';
import { splitWords } from '../split-words.js';
import type { DoctorRequest } from './doctor.js';
import { type Command, commands, options } from './options.js';
import { parseSnapshotCommand, type SnapshotRequest } from './snapshot-options.js';
import { type StorageRequest, storageRequest } from './storage-options.js';
import { type OptionValues, optionValues } from './values.js';

const seeHelp = '`mvvm --help` explains the commands';

/** What ends a run early, on the command line. */
export interface StopRequest {
  readonly atPoint?: number;
  readonly atEntry?: { readonly function: string; readonly count: number };
  /** Milliseconds between checkpoints after which the program goes on. */
  readonly everyMs?: number;
}

export interface ProgramRequest extends StopRequest {
  readonly kind: 'program';
  readonly command: 'run' | 'checkpoint' | 'restore';
  /** Path of the module. */
  readonly target: string;
  /** What the program is given, without its name. */
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly directories: readonly GrantedDirectory[];
  readonly addresses: readonly AddressGrant[];
  /** What becomes of connections, when that was chosen. */
  readonly connections?: 'reconnect' | 'fail';
  readonly entry?: string;
  readonly plain: boolean;
  readonly deterministic?: number;
  readonly stackSize?: number;
  /**
   * - `never`: begin
   * - `always`: the snapshot must be there
   * - `if-there`: a job that is started again and again until it is done
   */
  readonly resume: 'never' | 'always' | 'if-there';
  /** The snapshot to continue from. */
  readonly from: string;
  /** Where checkpoints go. */
  readonly snapshotFile: string;
  readonly storage: StorageRequest;
  readonly stats: boolean;
  /** Where a profile goes, when one is wanted. */
  readonly profile?: string;
  readonly debug: boolean;
}

export interface InspectRequest {
  readonly kind: 'inspect';
  readonly snapshot: string;
  /** The module, when named. */
  readonly target?: string;
  readonly storage: StorageRequest;
  readonly json: boolean;
  readonly secrets: boolean;
  readonly debug: boolean;
}

export type Request =
  | { readonly kind: 'help'; readonly command?: Command }
  | { readonly kind: 'version' }
  | ProgramRequest
  | InspectRequest
  | SnapshotRequest
  | DoctorRequest
  | CompletionRequest;

/**
 * Reads the words after `mvvm`.
 * @throws {CommandLineError} for words that make no sense
 */
export function parseCommandLine(words: readonly string[]): Request {
  const [first, ...rest] = words;
  if (first === undefined) throw new CommandLineError('no command given', seeHelp);
  if (first === '--help' || first === '-h') return { kind: 'help' };
  if (first === '--version') return { kind: 'version' };
  if (first === 'snapshot') return parseSnapshotCommand(rest);
  const command = commands.find((name) => name === first);
  if (command === undefined) throw unknownCommand(first);
  return parseCommand(command, rest);
}

function parseCommand(command: Command, words: readonly string[]): Request {
  const end = words.includes('--') ? words.indexOf('--') : words.length;
  const { values, operands } = readOptions(command, words.slice(0, end));
  if (values.help) return { kind: 'help', command };
  if (values.version) return { kind: 'version' };
  const after = words.slice(end + 1);
  switch (command) {
    case 'inspect':
      return inspectRequest(values, operands, after);
    case 'doctor':
      return doctorRequest(values, [...operands, ...after]);
    case 'completion':
      return parseCompletion('mvvm', [...operands, ...after]);
    default:
      return programRequest(command, values, operands, after);
  }
}

/** By the table of all commands, so that an option of another command is told apart from one that nobody knows. */
function readOptions(
  command: Command,
  words: readonly string[],
): { readonly values: OptionValues; readonly operands: readonly string[] } {
  const seeOptions = `\`mvvm ${command} --help\` lists its options`;
  const { given, operands } = splitWords(words, options, seeOptions);
  for (const [name, { commands: owners }] of Object.entries(options)) {
    if (given[name] === undefined || owners.includes(command)) continue;
    throw new CommandLineError(
      `${dashed(name)} is an option of mvvm ${owners.join(' and ')}, not of mvvm ${command}`,
      seeOptions,
    );
  }
  const result = optionValues.safeParse(given);
  if (!result.success) throw wrongValue(result.error.issues, seeOptions);
  return { values: result.data, operands };
}

function programRequest(
  command: 'run' | 'checkpoint' | 'restore',
  values: OptionValues,
  operands: readonly string[],
  after: readonly string[],
): ProgramRequest {
  const target = findTarget(command, values.target, operands);
  refuseNextHop(values);
  if (command === 'restore' && after.length > 0) {
    throw new CommandLineError('a restored program keeps its arguments', 'leave out -- and what follows');
  }
  if (values.plain) checkPlain(values);
  if (values.deterministic !== undefined && values.addr !== undefined) {
    throw new CommandLineError(
      'no run is --deterministic that uses the network',
      'leave out --addr or --deterministic',
    );
  }
  if (values.resume !== undefined && values.snapshot !== undefined) {
    throw new CommandLineError('--resume names the snapshot already', 'leave out --snapshot');
  }
  const snapshot = values.resume ?? values.snapshot ?? defaultSnapshot(target);
  const { entry, deterministic, profile } = values;
  const stackSize = values['stack-size'];
  const accepts = values['accept-changed-files'];
  return {
    kind: 'program',
    command,
    target,
    args: [...(values.arguments ?? []).flatMap((list) => list.split(',')), ...after],
    env: values.env ?? [],
    directories: (values.dir ?? []).map((grant) => (accepts ? { ...grant, onChangedFile: 'accept' } : grant)),
    addresses: values.addr ?? [],
    plain: values.plain,
    resume: command === 'restore' ? 'always' : values.resume === undefined ? 'never' : 'if-there',
    from: snapshot,
    snapshotFile: values['next-snapshot'] ?? snapshot,
    storage: storageRequest(values),
    stats: values.stats,
    debug: values.debug,
    ...stopRequest(values),
    ...(values.sockets === undefined ? {} : { connections: values.sockets }),
    ...(entry === undefined ? {} : { entry }),
    ...(deterministic === undefined ? {} : { deterministic }),
    ...(stackSize === undefined ? {} : { stackSize }),
    ...(profile === undefined ? {} : { profile }),
  };
}

function stopRequest(values: OptionValues): StopRequest {
  const { count, function: name, times } = values;
  const every = values['checkpoint-every'];
  if (count !== undefined && name !== undefined) throw conflict('-c', '-f');
  if (count !== undefined && times !== undefined) throw conflict('-c', '-x');
  if (times !== undefined && name === undefined) {
    throw new CommandLineError('-x counts the entries of a function, and none is named', 'add -f <function>');
  }
  return {
    ...(count === undefined ? {} : { atPoint: count }),
    ...(name === undefined ? {} : { atEntry: { function: name, count: times ?? 1 } }),
    ...(every === undefined ? {} : { everyMs: every }),
  };
}

/** A plain module cannot be stopped, so whatever stops it is a mistake. */
function checkPlain(values: OptionValues): void {
  const aboutSnapshots = ['snapshot', 'resume', 'compression', 'sign-key', 'verify-key', 'encryption-key'] as const;
  for (const name of ['count', 'function', 'checkpoint-every', ...aboutSnapshots, 'profile'] as const) {
    if (values[name] !== undefined) {
      throw new CommandLineError(
        `a module run with --plain cannot be stopped, so --${name} means nothing`,
        'compile it with mvvmc and leave out --plain',
      );
    }
  }
}

function refuseNextHop(values: OptionValues): void {
  if (values['offload-addr'] === undefined && values['offload-port'] === undefined) return;
  throw new CommandLineError(
    'sending a snapshot to a next hop (-o, -s) is not built in',
    'take the checkpoint to a file, copy it (scp, rsync) and run `mvvm restore` there',
  );
}

function inspectRequest(values: OptionValues, operands: readonly string[], after: readonly string[]): InspectRequest {
  const [snapshot, ...others] = [...operands, ...after];
  if (snapshot === undefined) throw new CommandLineError('no snapshot given', 'write mvvm inspect x.mvvm.snap');
  if (others.length > 0) throw new CommandLineError('more than one snapshot given', 'inspect them one at a time');
  const { target, json, secrets, debug } = values;
  const storage = storageRequest(values);
  return { kind: 'inspect', snapshot, storage, json, secrets, debug, ...(target === undefined ? {} : { target }) };
}

function doctorRequest({ json, debug }: OptionValues, operands: readonly string[]): DoctorRequest {
  const [word] = operands;
  if (word !== undefined) throw new CommandLineError(`${JSON.stringify(word)} is one word too many`, seeHelp);
  return { kind: 'doctor', json, debug };
}

function findTarget(command: Command, named: string | undefined, operands: readonly string[]): string {
  const [target, second] = named === undefined ? operands : [named, ...operands];
  if (target === undefined) {
    throw new CommandLineError('no module given', `write mvvm ${command} -t x.mvvm.wasm`);
  }
  if (second !== undefined) {
    const hint =
      command === 'restore' ? 'restore one module at a time' : "the program's own arguments go behind -- or into -a";
    throw new CommandLineError(`${JSON.stringify(second)} is one word too many`, hint);
  }
  return target;
}

/** `bc.mvvm.wasm` has `bc.mvvm.snap`. */
export function defaultSnapshot(target: string): string {
  return `${target.replace(/\.wasm$/, '')}.snap`;
}

function conflict(one: string, other: string): CommandLineError {
  return new CommandLineError(`${one} and ${other} both say where to stop`, 'give one of them');
}

function unknownCommand(word: string): CommandLineError {
  const closest = findClosest(word, [...commands, 'snapshot']);
  if (closest !== undefined) return new CommandLineError(`unknown command ${word}`, `did you mean mvvm ${closest}?`);
  const isModule = /\.(wasm|snap)$/.test(word);
  return new CommandLineError(`unknown command ${word}`, isModule ? `write mvvm run ${word}` : seeHelp);
}
