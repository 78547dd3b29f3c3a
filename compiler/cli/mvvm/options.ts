/** The options of all commands in one table: what the parser takes, what the help says, which command has which. */

import type { Option, OptionTable } from '../option-table.js';
import { compressions, storageDescriptions } from './storage-options.js';
import type { OptionValues } from './values.js';

export const commands = ['run', 'checkpoint', 'restore', 'inspect', 'doctor', 'completion'] as const;
export type Command = (typeof commands)[number];

export interface CommandOption extends Option {
  /** Whose option it is. */
  readonly commands: readonly Command[];
}

const groups = {
  program: 'The program',
  when: 'When to take a checkpoint (besides SIGINT, SIGTERM and SIGUSR1)',
  snapshot: 'The snapshot',
  shown: 'What is shown',
  other: 'Other',
} as const;

const starting: readonly Command[] = ['run', 'checkpoint'];
const running: readonly Command[] = ['run', 'checkpoint', 'restore'];
const looking: readonly Command[] = [...running, 'inspect'];

export const options: Readonly<Record<keyof OptionValues, CommandOption>> = {
  target: {
    group: groups.program,
    description: 'The compiled module; may also be given without -t',
    type: 'string',
    alias: ['t'],
    commands: looking,
  },
  arguments: {
    group: groups.program,
    description: "The program's arguments, comma-separated; what follows -- is taken word by word",
    type: 'string',
    alias: ['a', 'args'],
    value: 'any next',
    commands: starting,
  },
  env: {
    group: groups.program,
    description: 'KEY=value: a variable of its environment; may be repeated. On restore: replaces one',
    type: 'string',
    alias: ['e'],
    commands: running,
  },
  dir: {
    group: groups.program,
    description: 'A directory it may use: host, or guest::host; may be repeated. On restore: grants or moves one',
    type: 'string',
    alias: ['d'],
    commands: running,
  },
  addr: {
    group: groups.program,
    description:
      'An Internet address it may bind to, connect to and send to: host, host:port, or a range such as 10.0.0.0/8:443; may be repeated',
    type: 'string',
    commands: running,
  },
  sockets: {
    group: groups.program,
    description: 'What becomes of TCP connections that it had: reconnect, or fail (it sees that they broke)',
    type: 'string',
    choices: ['reconnect', 'fail'],
    commands: ['run', 'restore'],
  },
  entry: {
    group: groups.program,
    description: 'The export to call, with the arguments as its parameters; its results are printed',
    type: 'string',
    shownDefault: '_start',
    commands: starting,
  },
  plain: {
    group: groups.program,
    description: 'Run a module that mvvmc has not compiled; it cannot be stopped',
    type: 'boolean',
    commands: ['run'],
  },
  deterministic: {
    group: groups.program,
    description: '--deterministic[=seed]: virtual clocks and seeded randomness, so that every run is the same',
    type: 'string',
    value: 'equals',
    commands: starting,
  },
  'stack-size': {
    group: groups.program,
    description: "The guest's stack in MiB; memory is taken only as it is used",
    type: 'string',
    shownDefault: '256',
    commands: running,
  },
  count: {
    group: groups.when,
    description: 'At the n-th stable point from here',
    type: 'string',
    alias: ['c'],
    commands: running,
  },
  function: {
    group: groups.when,
    description: 'At the entry of this function: its index in the original module, or its name',
    type: 'string',
    alias: ['f'],
    commands: running,
  },
  times: {
    group: groups.when,
    description: 'At the n-th entry of that function',
    type: 'string',
    alias: ['x'],
    shownDefault: '1',
    commands: running,
  },
  'checkpoint-every': {
    group: groups.when,
    description: 'Every so often (500ms, 10s, 5m, 1h), and go on each time',
    type: 'string',
    commands: running,
  },
  snapshot: {
    group: groups.snapshot,
    description: 'The snapshot file',
    type: 'string',
    shownDefault: 'x.mvvm.snap for x.mvvm.wasm',
    commands: running,
  },
  'next-snapshot': {
    group: groups.snapshot,
    description: 'Where the next checkpoint goes',
    type: 'string',
    shownDefault: 'the file that was restored',
    commands: ['restore'],
  },
  resume: {
    group: groups.snapshot,
    description:
      'A job that may be killed: go on from this snapshot if it exists, else start. When stopped: write it, status 75. When the program has ended: remove it',
    type: 'string',
    commands: ['run'],
  },
  compression: {
    group: groups.snapshot,
    description: storageDescriptions.compression,
    type: 'string',
    shownDefault: 'none',
    choices: compressions,
    commands: running,
  },
  'sign-key': {
    group: groups.snapshot,
    description: storageDescriptions['sign-key'],
    type: 'string',
    commands: running,
  },
  'verify-key': {
    group: groups.snapshot,
    description: storageDescriptions['verify-key'],
    type: 'string',
    commands: ['run', 'restore', 'inspect'],
  },
  'encryption-key': {
    group: groups.snapshot,
    description: storageDescriptions['encryption-key'],
    type: 'string',
    commands: looking,
  },
  'accept-changed-files': {
    group: groups.snapshot,
    description: 'Restore even if files that the program has open have changed',
    type: 'boolean',
    commands: ['run', 'restore'],
  },
  'offload-addr': {
    group: groups.snapshot,
    description: 'Address of the next hop. Snapshots are not sent by mvvm: refused, with what to do instead',
    type: 'string',
    alias: ['o'],
    commands: running,
  },
  'offload-port': {
    group: groups.snapshot,
    description: 'Port of the next hop; see -o',
    type: 'string',
    alias: ['s'],
    commands: running,
  },
  json: {
    group: groups.shown,
    description: 'One JSON object for programs, instead of text for people',
    type: 'boolean',
    commands: ['inspect', 'doctor'],
  },
  secrets: {
    group: groups.shown,
    description: "Show the program's arguments and environment, too",
    type: 'boolean',
    commands: ['inspect'],
  },
  stats: {
    group: groups.other,
    description: 'At the end one line of JSON on standard error: stable points, checkpoints, milliseconds',
    type: 'boolean',
    commands: running,
  },
  profile: {
    group: groups.other,
    description:
      'Count how often each stable point is passed, into this file for mvvmc --enable-checkpoint-pgo; slower',
    type: 'string',
    commands: starting,
  },
  debug: {
    group: groups.other,
    description: 'Debug log on standard error, and stack traces of errors',
    type: 'boolean',
    alias: ['i'],
    commands: [...looking, 'doctor'],
  },
  help: { group: groups.other, description: 'Show this text', type: 'boolean', alias: ['h'], commands },
  version: { group: groups.other, description: 'Show the versions', type: 'boolean', commands },
};

/** Those that a command has. */
export function optionsOf(command: Command): OptionTable {
  return Object.fromEntries(Object.entries(options).filter(([, option]) => option.commands.includes(command)));
}
