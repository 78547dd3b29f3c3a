/**
 * The command line of mvvmc: words to a request. options.ts has the table, by which words are split; what the options'
 * values may be is decided here by zod, key by key, so that every message names the option it is about.
 */

import * as z from 'zod';
import type { Policy } from '../../../runtime/abi/index.js';
import { defaults, type Level, maxThresholdBits } from '../../options.js';
import { findClosest } from '../closest.js';
import { type CommandLineDescription, type CompletionRequest, parseCompletion, shells } from '../completion/index.js';
import { CommandLineError } from '../errors.js';
import { wrongValue } from '../explain-values.js';
import { layOutHelp } from '../help-layout.js';
import { describeOption } from '../option-table.js';
import { splitWords } from '../split-words.js';
import { dumpable, options, policyFlags } from './options.js';

export interface CompileRequest {
  readonly kind: 'compile';
  /** A path, or `-` for standard input. */
  readonly input: string;
  /** A path, or `-` for standard output. */
  readonly output: string;
  readonly emit: 'wasm' | 'wat';
  readonly force: boolean;
  readonly policies: readonly Policy[];
  readonly thresholdBits: number;
  readonly optLevel: Level;
  readonly sizeLevel: Level;
  /** Percent. */
  readonly twinBudget?: number;
  readonly wasmOpt?: string | true;
  /** Path of a profile. */
  readonly profile?: string;
  readonly dumpAfter: readonly string[];
  readonly timePasses: boolean;
  readonly verifyEach: boolean;
  readonly report: boolean;
  /** Where the report goes; standard error when not set. */
  readonly reportFile?: string;
}

export type Request =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'print-passes' }
  | CompletionRequest
  | CompileRequest;

const seeHelp = '`mvvmc --help` lists the options';

const flag = z.boolean('is given more than once');
const value = z.string('is given more than once').min(1, 'needs a value');
const list = z.union([value, z.array(value)]).transform((given) => (Array.isArray(given) ? given : [given]));

const bits = `must be a whole number from 0 to ${maxThresholdBits}`;
const thresholdBits = value
  .regex(/^\d{1,2}$/, bits)
  .transform(Number)
  .pipe(z.number().max(maxThresholdBits, bits));

const level = value
  .regex(/^[0-3]$/, 'must be 0, 1, 2 or 3')
  .transform((text) => z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)]).parse(Number(text)));

const schema = z.strictObject({
  ...Object.fromEntries([...policyFlags.keys()].map((name) => [name, flag.optional()])),
  'threshold-bits': thresholdBits.default(defaults.thresholdBits),
  'enable-checkpoint-pgo': value.optional(),
  'opt-level': level.default(defaults.optLevel),
  'size-level': level.default(defaults.sizeLevel),
  'twin-budget': value
    .regex(/^\d{1,4}$/, 'must be a percentage, 0 or more')
    .transform(Number)
    .optional(),
  'wasm-opt': z.string('is given more than once').optional(),
  output: value.optional(),
  emit: value.pipe(z.enum(['wasm', 'wat'], 'must be wasm or wat')).default('wasm'),
  force: flag.default(false),
  'print-passes': flag.default(false),
  'dump-after': list.pipe(z.array(z.string())).default([]),
  'time-passes': flag.default(false),
  'verify-each': flag.default(false),
  report: value.pipe(z.literal('json', 'must be json')).optional(),
  'report-file': value.optional(),
  'disable-aux-stack-check': flag.default(false),
  help: flag.default(false),
  version: flag.default(false),
});

/**
 * Reads the words after `mvvmc`.
 * @throws {CommandLineError} for words that make no sense
 */
export function parseCommandLine(words: readonly string[]): Request {
  if (words[0] === 'completion') return parseCompletion('mvvmc', words.slice(1));
  const { given, operands } = splitWords(words, options, seeHelp);
  const result = schema.safeParse(given);
  if (!result.success) throw wrongValue(result.error.issues, seeHelp);

  const asked = result.data;
  if (asked.help) return { kind: 'help' };
  if (asked.version) return { kind: 'version' };
  if (asked['print-passes']) return { kind: 'print-passes' };

  const [input, second] = operands;
  if (input === undefined) throw new CommandLineError('no module given', 'write mvvmc -o <output> <input.wasm>');
  if (second !== undefined) {
    throw new CommandLineError(`more than one module given: ${input} and ${second}`, 'compile them one at a time');
  }
  for (const name of asked['dump-after']) {
    if (!dumpable.includes(name)) throw unknownPass(name);
  }
  const wasmOpt = asked['wasm-opt'];
  const output = asked.output ?? defaultOutput(input, asked.emit);
  if (asked['dump-after'].length > 0 && output === '-') {
    throw new CommandLineError('--dump-after and the module would both go to standard output', 'add -o <file>');
  }
  return {
    kind: 'compile',
    input,
    output,
    emit: asked.emit,
    force: asked.force,
    policies: [...policyFlags].flatMap(([name, { policy }]) => (given[name] === true ? [policy] : [])),
    thresholdBits: asked['threshold-bits'],
    optLevel: asked['opt-level'],
    sizeLevel: asked['size-level'],
    ...(asked['twin-budget'] === undefined ? {} : { twinBudget: asked['twin-budget'] }),
    ...(wasmOpt === undefined ? {} : { wasmOpt: wasmOpt === '' ? true : wasmOpt }),
    ...(asked['enable-checkpoint-pgo'] === undefined ? {} : { profile: asked['enable-checkpoint-pgo'] }),
    dumpAfter: asked['dump-after'],
    timePasses: asked['time-passes'],
    verifyEach: asked['verify-each'],
    report: asked.report !== undefined || asked['report-file'] !== undefined,
    ...(asked['report-file'] === undefined ? {} : { reportFile: asked['report-file'] }),
  };
}

/** The command line, described for completion. */
export function describeCommandLine(): CommandLineDescription {
  const summary = 'print a script that completes command lines';
  return {
    program: 'mvvmc',
    commands: [{ name: 'completion', summary, options: [], operands: shells }],
    options: Object.entries(options).map((entry) => describeOption(...entry)),
  };
}

/** The text of `--help`, for a screen of so many columns. */
export function helpText(columns: number | undefined): string {
  return layOutHelp(
    {
      usage: 'mvvmc [options] <input.wasm>',
      text:
        'Compiles a WebAssembly module into one that can be stopped in the middle of its work, written to a file and ' +
        'continued on another machine, system or engine. `mvvm` runs, stops and continues the result.',
      options,
      examples: [
        ['mvvmc -o bc.mvvm.wasm bc.wasm', 'compile with the default policy'],
        ['mvvmc --threshold-bits=10 -o a.mvvm.wasm a.wasm', 'answer requests sooner, for a little speed'],
        ['mvvmc --enable-checkpoint a.wasm', 'stop at calls; writes a.mvvm.wasm'],
        ['cat a.wasm | mvvmc - -o - > b.wasm', 'in a pipe'],
        ['mvvmc --emit=wat -o - a.wasm | less', 'read what was made of the module'],
        ['mvvmc --report-file=report.json a.wasm', 'count its stable points'],
        ['eval "$(mvvmc completion bash)"', `complete options in bash; also: ${shells.slice(1).join(', ')}`],
      ],
      notes: [
        'Status: 0 compiled, 1 the module cannot be compiled or a file not be used, 2 wrong command line.',
        'NO_COLOR switches colours off; MVVMC_DEBUG=1 adds stack traces to errors.',
      ],
    },
    columns,
  );
}

/** `bc.wasm` becomes `bc.mvvm.wasm`. */
function defaultOutput(input: string, emit: 'wasm' | 'wat'): string {
  return input === '-' ? '-' : `${input.replace(/\.wasm$/, '')}.mvvm.${emit}`;
}

function unknownPass(name: string): CommandLineError {
  const closest = findClosest(name, dumpable);
  const hint = closest === undefined ? '`mvvmc --print-passes` lists them' : `did you mean ${closest}?`;
  return new CommandLineError(`--dump-after: there is no pass ${name}`, hint);
}
