/** How mvvm speaks to a person: lines on standard error, each saying what is with what, and what to do. */

import { Chalk, type ChalkInstance, chalkStderr } from 'chalk';
import type { PointProfile } from '../../../runtime/index.js';
import type { CheckpointReport, RunStatistics } from '../../../runtime/node/index.js';
import { CommandLineError } from '../errors.js';
import { printable } from '../printable.js';
import { sizeText } from '../size-text.js';
import type { SoundFacts } from './snapshot-command.js';

// The terminal's level, unless the person wants none: https://no-color.org asks for any value that is not empty.
const colours: ChalkInstance = process.env['NO_COLOR'] ? new Chalk({ level: 0 }) : chalkStderr;

/** What to print for anything that was thrown, and the status to end with. */
export function describeFailure(error: unknown, debug: boolean): { readonly text: string; readonly status: 1 | 2 } {
  const text = line(colours.red('error:'), messageOf(error), hintOf(error));
  const stack = debug && error instanceof Error ? stackText(error) : '';
  return { text: text + stack, status: error instanceof CommandLineError ? 2 : 1 };
}

export function refusedText(reason: string): string {
  return line(colours.yellow('warning:'), `no checkpoint was taken: ${reason}`, 'the program goes on');
}

export function trappedText(reason: string): string {
  return line(colours.red('error:'), `the program trapped: ${reason}`, undefined);
}

/** @param next how to go on from there */
export function checkpointText(report: CheckpointReport, next: string): string {
  const { file = 'memory', bytes, milliseconds, stablePoints } = report;
  const facts = `${sizeText(bytes)}, ${milliseconds.toFixed(1)} ms, after ${stablePoints} stable points`;
  return line(colours.green('checkpoint:'), `${file} (${facts})`, report.goesOn ? 'the program goes on' : next);
}

export function logText(text: string): string {
  return line(colours.dim('log:'), `[${performance.now().toFixed(1)} ms] ${text}`, undefined);
}

/** @param deltas how many were folded */
export function compactedText(file: string, bytes: number, deltas: number): string {
  const folded = `a base and ${deltas} ${deltas === 1 ? 'delta' : 'deltas'} are one file now`;
  return line(colours.green('snapshot:'), `${file} (${sizeText(bytes)}): ${folded}`, undefined);
}

/** The line of `mvvm snapshot verify`. */
export function verifiedText({ file, deltas, module, fits }: SoundFacts): string {
  const parts = deltas.length === 0 ? '' : ` with ${deltas.length} ${deltas.length === 1 ? 'delta' : 'deltas'}`;
  const fitting = fits ? 'fits its module' : `made by module ${module.slice(0, 16)}..., which is not beside it`;
  return `${file}${parts}: sound, ${fitting}\n`;
}

export function profileText(file: string, { points }: PointProfile): string {
  const passed = points.filter(({ count }) => count > 0).length;
  const facts = `${passed} of ${points.length} stable points were passed`;
  return line(colours.green('profile:'), `${file} (${facts})`, `mvvmc --enable-checkpoint-pgo=${file} uses it`);
}

/** The line of `--stats`. */
export function statisticsText({ stablePoints, checkpoints, milliseconds }: RunStatistics): string {
  return `${JSON.stringify({ stablePoints, checkpoints, milliseconds })}\n`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Errors of all our layers carry a hint; some say it in their message already. */
function hintOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('hint' in error)) return undefined;
  const { hint } = error;
  return typeof hint === 'string' && hint !== '' && !messageOf(error).includes(hint) ? hint : undefined;
}

/** Names of the program's functions stand in it. */
export function stackText({ stack = '' }: Error): string {
  return `${stack.split('\n').map(printable).join('\n')}\n`;
}

function line(label: string, message: string, hint: string | undefined): string {
  const advice = hint === undefined ? '' : ` - ${colours.dim(printable(hint))}`;
  return `${colours.bold('mvvm:')} ${label} ${printable(message)}${advice}\n`;
}
