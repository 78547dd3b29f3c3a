/** How mvvmc speaks to a person: one line that says what was wrong with what, and what to do. */

import { Chalk, type ChalkInstance, chalkStderr } from 'chalk';
import { CompileError, type Diagnostic } from '../../../passes/index.js';
import type { Report } from '../../report.js';
import { CommandLineError, FileError } from '../errors.js';
import { printable } from '../printable.js';
import { sizeText } from '../size-text.js';

// The terminal's level, unless the person wants none: https://no-color.org asks for any value that is not empty.
const colours: ChalkInstance = process.env['NO_COLOR'] ? new Chalk({ level: 0 }) : chalkStderr;

export function formatError(message: string, hint?: string): string {
  return line(colours.red('error:'), message, hint);
}

export function formatWarning(diagnostic: Diagnostic): string {
  return line(colours.yellow('warning:'), sentence(diagnostic), diagnostic.hint);
}

/** What a compile did, at which rate. */
export function formatSummary(input: string, { before, points, milliseconds }: Report): string {
  const seconds = milliseconds / 1000;
  const rate = `${sizeText(before.bytes)} in ${seconds.toFixed(1)} s, ${sizeText(before.bytes / seconds)}/s`;
  return line(colours.green('compiled:'), `${input} (${rate}): ${points.total} stable points`, undefined);
}

/** What to print for anything that was thrown, and the status to end with. */
export function describeFailure(error: unknown, input: string | undefined): { text: string; status: 1 | 2 } {
  const status = error instanceof CommandLineError ? 2 : 1;
  const text = failureLine(error, input);
  const stack = error instanceof Error ? error.stack : undefined;
  return { text: process.env['MVVMC_DEBUG'] === '1' && stack !== undefined ? `${text}${stack}\n` : text, status };
}

function failureLine(error: unknown, input: string | undefined): string {
  if (error instanceof CommandLineError || error instanceof FileError) return formatError(error.message, error.hint);
  if (error instanceof CompileError) {
    const { diagnostic } = error;
    const subject = input === undefined || isAboutOptions(diagnostic) ? '' : `${input}: `;
    return formatError(`${subject}${sentence(diagnostic)}`, diagnostic.hint);
  }
  const what = error instanceof Error ? error.message : String(error);
  return formatError(
    `mvvmc failed on ${input ?? 'this command line'}: ${what}`,
    'MVVMC_DEBUG=1 shows where; please report it',
  );
}

/** These say by themselves what they are about; the others are about the module. */
function isAboutOptions({ code }: Diagnostic): boolean {
  return code.startsWith('options/') || code.startsWith('wasm-opt/');
}

function sentence({ message, where }: Diagnostic): string {
  return where === undefined ? message : `${message} (in ${where})`;
}

function line(label: string, message: string, hint: string | undefined): string {
  const advice = hint === undefined ? '' : ` - ${colours.dim(printable(hint))}`;
  return `${colours.bold('mvvmc:')} ${label} ${printable(message)}${advice}\n`;
}
