/**
 * The command line of mvvm: words to a request.
 *
 * The first word is the command. yargs splits the rest into options, with one peculiarity that the programs we take
 * after have: `-a -g20,-n1000` gives `-a` the next word even though it begins with a dash. What values may be is decided
 * by zod (values.ts), and which command has which option by the table in options.ts.
 */

import yargs from 'yargs';
import type { z } from 'zod';
import type { AddressGrant } from '../../../runtime/index.js';
import type { GrantedDirectory } from '../../../runtime/node/index.js';
import { findClosest } from '../mvvmc/closest.js';
import { CommandLineError } from '../mvvmc/errors.js';
import { type Command, commands, type Option, options } from './options.js';
import { parseSnapshotCommand, type SnapshotRequest } from './snapshot-command.js';
import { type OptionValues, optionValues } from './values.js';

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
  readonly json: boolean;
  readonly secrets: boolean;
  readonly debug: boolean;
}

export type Request =
  | { readonly kind: 'help'; readonly command?: Command }
  | { readonly kind: 'version' }
  | ProgramRequest
  | InspectRequest
  | SnapshotRequest;

const seeHelp = '`mvvm --help` explains the commands';

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
  const { _: operands, $0: _program, ...given } = makeParser(clarify(words.slice(0, end))).parseSync();
  const result = optionValues.safeParse(given);
  if (!result.success) throw explain(command, result.error.issues);
  checkOwnership(command, given);

  const values = result.data;
  if (values.help) return { kind: 'help', command };
  if (values.version) return { kind: 'version' };
  const after = words.slice(end + 1);
  const plain = operands.map(String);
  return command === 'inspect' ? inspectRequest(values, plain, after) : programRequest(command, values, plain, after);
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
  for (const name of ['count', 'function', 'checkpoint-every', 'snapshot', 'resume', 'profile'] as const) {
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
  return { kind: 'inspect', snapshot, json, secrets, debug, ...(target === undefined ? {} : { target }) };
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

function makeParser(words: readonly string[]): ReturnType<typeof yargs> {
  const parser = yargs([...words])
    .locale('en')
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'boolean-negation': false,
      'strip-aliased': true,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'duplicate-arguments-array': true,
      'nargs-eats-options': true,
    })
    .help(false)
    .version(false)
    .exitProcess(false)
    .fail((message, error) => {
      throw error === undefined || error.name === 'YError' ? usageOf(message) : error;
    });
  for (const [name, { type, alias = [] }] of Object.entries(options)) {
    parser.option(name, { type, alias: [...alias], ...(takesNextWord(name) ? { nargs: 1 } : {}) });
  }
  return parser;
}

/** `--deterministic` takes its seed behind `=` only. */
function takesNextWord(name: string): boolean {
  return Object.entries(options).some(
    ([known, { type }]) => known === name && type === 'string' && name !== 'deterministic',
  );
}

/** Makes plain what yargs would guess wrongly. */
function clarify(words: readonly string[]): string[] {
  return words.map((word, at) => {
    // Behind an option that takes the next word, that word is a value, whatever it looks like.
    if (isOption(words[at - 1], 'string')) return word;
    if (word === '--deterministic') return '--deterministic=';
    const [name, value] = word.split('=', 2);
    if (value !== undefined && isOption(name, 'boolean')) {
      throw new CommandLineError(`${name} takes no value`, `write ${name} alone, or leave it out`);
    }
    return word;
  });
}

/** Whether the word is an option of this type that stands for itself (or takes the next word). */
function isOption(word: string | undefined, type: Option['type']): boolean {
  if (word === undefined || word === '--deterministic') return false;
  return Object.entries(options).some(
    ([name, option]) => option.type === type && [name, ...(option.alias ?? [])].some((known) => dashed(known) === word),
  );
}

/** An option that exists, but not for this command. */
function checkOwnership(command: Command, given: Readonly<Record<string, unknown>>): void {
  for (const [name, option] of Object.entries(options)) {
    if (given[name] === undefined || option.commands.includes(command)) continue;
    throw new CommandLineError(
      `${dashed(name)} is an option of mvvm ${option.commands.join(' and ')}, not of mvvm ${command}`,
      `\`mvvm ${command} --help\` lists its options`,
    );
  }
}

function explain(command: Command, issues: readonly z.core.$ZodIssue[]): CommandLineError {
  const help = `\`mvvm ${command} --help\` lists the options`;
  for (const issue of issues) {
    if (issue.code !== 'unrecognized_keys') continue;
    const [name = ''] = issue.keys;
    const known = Object.entries(options).flatMap(([key, { alias = [] }]) => [key, ...alias]);
    const closest = name.length > 1 ? findClosest(name, known) : undefined;
    const hint = closest === undefined ? help : `did you mean ${dashed(closest)}?`;
    return new CommandLineError(`unknown option ${dashed(name)}`, hint);
  }
  const [issue] = issues;
  return new CommandLineError(`${dashed(String(issue?.path[0] ?? ''))} ${issue?.message ?? 'is wrong'}`, help);
}

function usageOf(message: string): CommandLineError {
  const name = /^Not enough arguments following: (.+)$/.exec(message)?.[1];
  return new CommandLineError(name === undefined ? message : `${dashed(name)} needs a value`, seeHelp);
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

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
