/** The command line of mvvm, described for completion: the table of options, and what help says of the commands. */

import { type CommandLineDescription, shells } from '../completion/index.js';
import { summaryOf } from './help.js';
import { type Command, commands, type Option, options } from './options.js';
import { snapshotActions, snapshotOptions, snapshotSummary } from './snapshot-command.js';

export function describeCommands(): CommandLineDescription {
  return {
    program: 'mvvm',
    commands: [
      ...commands.map((name) => ({
        name,
        summary: summaryOf(name),
        options: Object.entries(options).flatMap(([option, facts]) => describeOption(name, option, facts)),
        ...(name === 'completion' ? { operands: shells } : {}),
      })),
      { name: 'snapshot', summary: snapshotSummary, options: snapshotOptions, operands: snapshotActions },
    ],
    options: [
      { names: ['help', 'h'], description: 'Show the commands', takesValue: false, choices: [] },
      { names: ['version'], description: 'Show the versions', takesValue: false, choices: [] },
    ],
  };
}

function describeOption(
  command: Command,
  name: string,
  { alias = [], description, type, choices, commands: owners }: Option,
): CommandLineDescription['options'] {
  if (!owners.includes(command)) return [];
  return [{ names: [name, ...alias], description, takesValue: type === 'string', choices: choices ?? [] }];
}
