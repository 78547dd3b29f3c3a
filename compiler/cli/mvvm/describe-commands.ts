/** The command line of mvvm, described for completion: the table of options, and what help says of the commands. */

import { type CommandLineDescription, shells } from '../completion/index.js';
import { describeOption } from '../option-table.js';
import { summaryOf } from './help.js';
import { commands, optionsOf } from './options.js';
import { snapshotActions, snapshotOptions, snapshotSummary } from './snapshot-options.js';

export function describeCommands(): CommandLineDescription {
  return {
    program: 'mvvm',
    commands: [
      ...commands.map((name) => ({
        name,
        summary: summaryOf(name),
        options: Object.entries(optionsOf(name)).map((entry) => describeOption(...entry)),
        ...(name === 'completion' ? { operands: shells } : {}),
      })),
      {
        name: 'snapshot',
        summary: snapshotSummary,
        options: Object.entries(snapshotOptions).map((entry) => describeOption(...entry)),
        operands: snapshotActions,
      },
    ],
    options: [
      { names: ['help', 'h'], description: 'Show the commands', takesValue: false, choices: [] },
      { names: ['version'], description: 'Show the versions', takesValue: false, choices: [] },
    ],
  };
}
