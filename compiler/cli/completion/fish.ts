/** Completion for fish: one `complete` line for each command and option. Files are offered where a file can stand. */

import type { CommandLineDescription, DescribedOption } from './description.js';

export function fishScript({ program, commands, options }: CommandLineDescription): string {
  const names = commands.map(({ name }) => name).join(' ');
  const none = `not __fish_seen_subcommand_from ${names}`;
  const lines = [
    ...commands.map(({ name, summary }) => line(program, none, `-a ${name} -d ${quoted(summary)}`)),
    ...options.map((option) => optionLine(program, none, option)),
    ...commands.flatMap(({ name, options: own, operands }) => {
      const here = `__fish_seen_subcommand_from ${name}`;
      return [
        ...own.map((option) => optionLine(program, here, option)),
        ...(operands === undefined ? [] : [line(program, here, `-f -a ${quoted(operands.join(' '))}`)]),
      ];
    }),
  ];
  return `# Completion of ${program} for fish. In ~/.config/fish/config.fish: ${program} completion fish | source\n${lines.join('')}`;
}

function optionLine(
  program: string,
  when: string,
  { names, description, takesValue, choices }: DescribedOption,
): string {
  const flags = names.map((name) => (name.length === 1 ? `-s ${name}` : `-l ${name}`));
  const value = takesValue ? ['-r', ...(choices.length > 0 ? [`-f -a ${quoted(choices.join(' '))}`] : [])] : [];
  return line(program, when, [...flags, ...value, `-d ${quoted(description)}`].join(' '));
}

function line(program: string, when: string, rest: string): string {
  return `complete -c ${program} -n ${quoted(when)} ${rest}\n`;
}

/** In single quotes, where fish knows two escapes. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
