/** What zod finds wrong with the values of options, as one sentence about one option. */

import type * as z from 'zod';
import { CommandLineError } from './errors.js';
import { dashed } from './option-table.js';

export function wrongValue(issues: readonly z.core.$ZodIssue[], seeHelp: string): CommandLineError {
  const [issue] = issues;
  return new CommandLineError(`${dashed(String(issue?.path[0] ?? ''))} ${issue?.message ?? 'is wrong'}`, seeHelp);
}
