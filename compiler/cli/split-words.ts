/**
 * Words to options and operands, in the way of getopt: `--name=value`, `--name value`, `-n value`, `-nvalue`, `-ih`. What
 * values may be is decided elsewhere; here a value is a text, and what is given more than once is a list.
 *
 * One peculiarity is that of the programs we take after: `-a -g20,-n1000` gives `-a` the next word even though it begins
 * with a dash (`any next` in the table).
 */

import { findClosest } from './closest.js';
import { CommandLineError } from './errors.js';
import { dashed, namesOf, type Option, type OptionTable } from './option-table.js';

export type GivenValue = string | boolean;

export interface SplitWords {
  /** By long names; several, when an option is given more than once. */
  readonly given: Readonly<Record<string, GivenValue | readonly GivenValue[]>>;
  readonly operands: readonly string[];
}

/**
 * @param seeHelp the hint for what cannot be guessed
 * @throws {CommandLineError} for an option that is not in the table, or that has a value too many or too few
 */
export function splitWords(words: readonly string[], table: OptionTable, seeHelp: string): SplitWords {
  const given = new Map<string, GivenValue | readonly GivenValue[]>();
  const operands: string[] = [];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      operands.push(...rest.splice(0));
    } else if (word === '-' || !word.startsWith('-')) {
      operands.push(word);
    } else {
      const { name, option, value, others } = readOption(word, table, seeHelp);
      if (others !== '') rest.unshift(others);
      const read = option.type === 'boolean' || (value ?? takeValue(option, rest));
      if (read === undefined) throw new CommandLineError(`${dashed(name)} needs a value`, seeHelp);
      const before = given.get(name);
      given.set(name, before === undefined ? read : [before, read].flat());
    }
  }
  return { given: Object.fromEntries(given), operands };
}

interface ReadOption {
  readonly name: string;
  readonly option: Option;
  /** What stands in the same word. */
  readonly value: string | undefined;
  /** The word of the short options behind this one. */
  readonly others: string;
}

function readOption(word: string, table: OptionTable, seeHelp: string): ReadOption {
  const [, long, short, attached] = /^(?:--([^=]*)|-([^-]))(?:=(.*))?/s.exec(word) ?? [];
  const written = long ?? short ?? '';
  const [name, option] = Object.entries(table).find((entry) => namesOf(...entry).includes(written)) ?? [];
  // A long name behind one dash, and a letter behind two, are no options.
  const isRight = dashed(written) === `${long === undefined ? '-' : '--'}${written}`;
  if (name === undefined || option === undefined || !isRight) throw unknownOption(written, table, seeHelp);
  const behind = long === undefined && attached === undefined ? word.slice(2) : '';
  if (option.type === 'string') {
    return { name, option, value: attached ?? (behind === '' ? undefined : behind), others: '' };
  }
  if (attached !== undefined) {
    throw new CommandLineError(`${dashed(written)} takes no value`, `write ${dashed(written)} alone, or leave it out`);
  }
  return { name, option, value: undefined, others: behind === '' ? '' : `-${behind}` };
}

function takeValue({ value = 'next' }: Option, rest: string[]): string | undefined {
  if (value === 'equals') return '';
  const [next] = rest;
  if (next === undefined || (value === 'next' && next !== '-' && next.startsWith('-'))) return undefined;
  return rest.shift();
}

function unknownOption(written: string, table: OptionTable, seeHelp: string): CommandLineError {
  const known = Object.entries(table).flatMap((entry) => namesOf(...entry));
  const closest = written.length > 1 ? findClosest(written, known) : undefined;
  return new CommandLineError(
    `unknown option ${dashed(written)}`,
    closest === undefined ? seeHelp : `did you mean ${dashed(closest)}?`,
  );
}
