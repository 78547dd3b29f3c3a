/** Scripts that make shells complete our command lines: what is common to the shells, and to `mvvm` and `mvvmc`. */

import { CommandLineError } from '../errors.js';
import { bashScript } from './bash.js';
import type { CommandLineDescription } from './description.js';
import { fishScript } from './fish.js';
import { zshScript } from './zsh.js';

export type { CommandLineDescription, DescribedOption } from './description.js';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

export interface CompletionRequest {
  readonly kind: 'completion';
  readonly shell: Shell;
}

/**
 * @param program whose completion is asked for
 * @param words those behind `completion`
 * @throws {CommandLineError}
 */
export function parseCompletion(program: string, words: readonly string[]): CompletionRequest {
  const [word, ...others] = words;
  const shell = shells.find((name) => name === word);
  const hint = `write ${program} completion ${shells.join(` or ${program} completion `)}`;
  if (word === undefined) throw new CommandLineError('no shell given', hint);
  if (shell === undefined) throw new CommandLineError(`unknown shell ${word}`, hint);
  if (others.length > 0) throw new CommandLineError('more than one shell given', hint);
  return { kind: 'completion', shell };
}

const scripts: Readonly<Record<Shell, (description: CommandLineDescription) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

export function completionScript(shell: Shell, description: CommandLineDescription): string {
  return scripts[shell](description);
}
