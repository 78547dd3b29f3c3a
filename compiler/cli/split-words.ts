/**
 * Words to options and operands, in the way of getopt: `--name=value`, `--name value`, `-n value`, `-nvalue`, `-ih`. What
 * values may be is decided elsewhere; here a value is a text, and what is given more than once is a list.
 *
 * Node's own parser takes the words apart. It has no word on what is wrong with them, and none on when a value may follow.
 * (yargs takes a tenth of a second to load, which is a third of a short run, and its parser has one answer for all options
 * to whether a value may begin with a dash.)
 *
 * One peculiarity is that of the programs we take after: `-a -g20,-n1000` gives `-a` the next word even though it begins
 * with a dash (`any next` in the table).
 */

import { parseArgs } from 'node:util';
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
  const known = new Map(
    Object.entries(table).flatMap(([name, option]) =>
      namesOf(name, option).map((written) => [written, { name, option }] as const),
    ),
  );
  const { tokens, positionals } = parseArgs({
    args: [...words],
    options: Object.fromEntries([...known].map(([written, { option }]) => [written, describe(written, option)])),
    strict: false,
    tokens: true,
  });
  const given = new Map<string, GivenValue | readonly GivenValue[]>();
  for (const [at, token] of tokens.entries()) {
    if (token.kind !== 'option') continue;
    const { name, option } = known.get(token.name) ?? {};
    // A letter behind two dashes is no option.
    if (name === undefined || option === undefined || token.rawName !== dashed(token.name)) {
      throw unknownOption(token.name, [...known.keys()], seeHelp);
    }
    const next = tokens[at + 1];
    if (option.type === 'boolean' && (token.value !== undefined || (next?.kind === 'option' && next.name === '='))) {
      throw new CommandLineError(`${token.rawName} takes no value`, `write ${token.rawName} alone, or leave it out`);
    }
    const read = option.type === 'boolean' || readValue(token, option);
    if (read === undefined) throw new CommandLineError(`${dashed(name)} needs a value`, seeHelp);
    const before = given.get(name);
    given.set(name, before === undefined ? read : [before, read].flat());
  }
  return { given: Object.fromEntries(given), operands: positionals };
}

/** An option as the parser has to know it. */
function describe(written: string, { type, value }: Option): { type: Option['type']; short?: string } {
  const taken = value === 'equals' ? 'boolean' : type;
  return written.length === 1 ? { type: taken, short: written } : { type: taken };
}

interface Written {
  readonly rawName: string;
  readonly value: string | undefined;
  readonly inlineValue: boolean | undefined;
}

function readValue({ rawName, value, inlineValue }: Written, option: Option): string | undefined {
  if (option.value === 'equals') return value ?? '';
  if (inlineValue) return rawName.length === 2 ? value?.replace(/^=/, '') : value;
  return option.value === 'any next' || value === '-' || !value?.startsWith('-') ? value : undefined;
}

function unknownOption(written: string, known: readonly string[], seeHelp: string): CommandLineError {
  const closest = written.length > 1 ? findClosest(written, known) : undefined;
  return new CommandLineError(
    `unknown option ${dashed(written)}`,
    closest === undefined ? seeHelp : `did you mean ${dashed(closest)}?`,
  );
}
