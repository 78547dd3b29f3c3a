/**
 * Words to options and operands.
 *
 * yargs does it, with one peculiarity that the programs we take after have: `-a -g20,-n1000` gives `-a` the next word even
 * though it begins with a dash. What values may be is decided by zod (values.ts), and which command has which option by
 * the table in options.ts.
 */

import yargs from 'yargs';
import type { z } from 'zod';
import { findClosest } from '../mvvmc/closest.js';
import { CommandLineError } from '../mvvmc/errors.js';
import { type Command, type Option, options } from './options.js';
import { type OptionValues, optionValues } from './values.js';

export const seeHelp = '`mvvm --help` explains the commands';

/**
 * @param words those behind the command, up to `--`
 * @throws {CommandLineError}
 */
export function splitWords(
  command: Command,
  words: readonly string[],
): { readonly values: OptionValues; readonly operands: readonly string[] } {
  const { _: operands, $0: _program, ...given } = makeParser(clarify(words)).parseSync();
  const result = optionValues.safeParse(given);
  if (!result.success) throw explain(command, result.error.issues);
  checkOwnership(command, given);
  return { values: result.data, operands: operands.map(String) };
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

function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}
