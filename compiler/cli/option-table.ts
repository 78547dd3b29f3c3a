/** What a command line's options are: one table for the parser, the help and completion. */

import type { DescribedOption } from './completion/index.js';

export interface Option {
  readonly group: string;
  readonly description: string;
  readonly type: 'string' | 'boolean';
  /** Other names; one letter has one dash. */
  readonly alias?: readonly string[];
  readonly shownDefault?: string;
  /** The values there are, where they can be counted. */
  readonly choices?: readonly string[];
  /**
   * How a value is given. `next`: behind `=` or as the next word, which must not begin with a dash. `any next`: the next
   * word, whatever it looks like. `equals`: only behind `=`; the option alone has an empty value.
   */
  readonly value?: 'next' | 'any next' | 'equals';
}

/** By the option's long name. */
export type OptionTable = Readonly<Record<string, Option>>;

/** A name with its dashes. */
export function dashed(name: string): string {
  return name.length === 1 ? `-${name}` : `--${name}`;
}

/** All names of an option, the long one first. */
export function namesOf(name: string, { alias = [] }: Option): readonly [string, ...string[]] {
  return [name, ...alias];
}

/** An option as completion has to know it. */
export function describeOption(name: string, option: Option): DescribedOption {
  const { description, type, choices = [] } = option;
  return { names: namesOf(name, option), description, takesValue: type === 'string', choices };
}
