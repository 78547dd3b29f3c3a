/** The texts of `mvvm --help` and `mvvm <command> --help`. */

import { shells } from '../completion/index.js';
import { layOutHelp } from '../help-layout.js';
import { type Command, optionsOf } from './options.js';
import { snapshotSummary, snapshotUsage } from './snapshot-options.js';

interface CommandHelp {
  readonly usage: string;
  readonly summary: string;
  readonly text: string;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** What its exit status means. */
  readonly statuses: string;
}

const statusesOfRuns =
  "Status: 0 a checkpoint was taken; the program's own when it ended; 1 an error or a trap; 2 wrong command line; 130 " +
  'interrupted twice, without a checkpoint.';

const help: Readonly<Record<Command, CommandHelp>> = {
  run: {
    usage: 'mvvm run [options] <x.mvvm.wasm> [-- arguments]',
    summary: 'run a compiled program',
    text: 'Runs a program that mvvmc has compiled. A checkpoint can be asked for at any time.',
    examples: [
      [
        'mvvm run bc.mvvm.wasm -- -g20 -n1000',
        'options before the module are ours, words behind -- are for the program',
      ],
      ['mvvm run -d data bc.mvvm.wasm', 'the program may use the directory data'],
      ['mvvm run --checkpoint-every 10s bc.mvvm.wasm', 'never lose more than ten seconds'],
      ['mvvm run --resume job.snap bc.mvvm.wasm', 'start, or go on where it was stopped; SIGTERM: status 75'],
      ['mvvm run --entry gcd a.mvvm.wasm -- 12 18', 'call any export'],
      ['mvvm run --profile bc.json bc.mvvm.wasm', 'count stable points, for mvvmc --enable-checkpoint-pgo=bc.json'],
    ],
    statuses: `${statusesOfRuns} With --resume, 75 instead of 0: start the same command again.`,
  },
  checkpoint: {
    usage: 'mvvm checkpoint [options] -t <x.mvvm.wasm> [-- arguments]',
    summary: 'run a compiled program until a checkpoint, and write it to a file',
    text: 'Runs a program, stops it in the middle of its work and writes everything into a snapshot.',
    examples: [
      ['mvvm checkpoint -t bc.mvvm.wasm -a -g20,-n1000', 'stop it with Ctrl-C; writes bc.mvvm.snap'],
      ['mvvm checkpoint -t bc.mvvm.wasm -c 5000', 'stop at the 5000th stable point: the same place every time'],
      ['mvvm checkpoint -t tcp.mvvm.wasm -f 193 -x 10 -e LANG=C', 'stop at the 10th entry of function 193'],
    ],
    statuses: statusesOfRuns,
  },
  restore: {
    usage: 'mvvm restore [options] -t <x.mvvm.wasm>',
    summary: 'go on from a snapshot',
    text:
      'Continues a program where its snapshot stopped, here or on another machine. The snapshot only names the ' +
      'directories that the program used: what it may use here is what -d grants, under the same guest names.',
    examples: [
      ['mvvm restore -t bc.mvvm.wasm', 'go on from bc.mvvm.snap'],
      ['mvvm restore -t bc.mvvm.wasm -d data::/mnt/data', 'its directory data is elsewhere now'],
      ['mvvm restore -t bc.mvvm.wasm -c 5000', 'go on for 5000 stable points, then stop again'],
    ],
    statuses: statusesOfRuns,
  },
  inspect: {
    usage: 'mvvm inspect [options] <x.mvvm.snap>',
    summary: 'show what a snapshot holds',
    text:
      'Shows a snapshot: the module, the call stack with the values of its variables, memory, open files. Names and ' +
      'values come from the module, which is looked for beside the snapshot or named by -t.',
    examples: [
      ['mvvm inspect bc.mvvm.snap', 'for a person'],
      ['mvvm inspect --json bc.mvvm.snap | jq .stack.frames', 'for a program'],
    ],
    statuses: 'Status: 0 shown, 1 not a sound snapshot, 2 wrong command line.',
  },
  doctor: {
    usage: 'mvvm doctor [options]',
    summary: 'say what this host can and cannot do',
    text:
      'Tries what programs need to be stopped and continued on this host, and which extensions of WebAssembly its ' +
      'engine and mvvmc know.',
    examples: [
      ['mvvm doctor', 'for a person'],
      ['mvvm doctor --json | jq .engine', 'for a program'],
    ],
    statuses: 'Status: 0 programs can be stopped and continued here, 1 they cannot, 2 wrong command line.',
  },
  completion: {
    usage: `mvvm completion <${shells.join('|')}>`,
    summary: 'print a script that completes command lines',
    text: 'Prints a script that makes a shell complete the commands and options of mvvm.',
    examples: [
      ['eval "$(mvvm completion bash)"', 'in ~/.bashrc'],
      ['eval "$(mvvm completion zsh)"', 'in ~/.zshrc, behind compinit'],
      ['mvvm completion fish | source', 'in ~/.config/fish/config.fish'],
    ],
    statuses: 'Status: 0 printed, 2 wrong command line.',
  },
};

/** What mvvm is, and its commands. */
export function overview(): string {
  const rows = Object.values(help).map(({ usage, summary }) => `  ${usage}\n      ${summary}\n`);
  return `mvvm <command> [options]

Runs, stops and continues WebAssembly programs. A program compiled by mvvmc can be stopped in the
middle of any loop or call, written to a file and continued on another machine, system or engine.

Commands:
${rows.join('')}  ${snapshotUsage}
      ${snapshotSummary}

Examples:
  mvvmc -o bc.mvvm.wasm bc.wasm                 compile
  mvvm checkpoint -t bc.mvvm.wasm -c 5000       run it and stop in the middle; writes bc.mvvm.snap
  mvvm restore -t bc.mvvm.wasm                  go on, anywhere
  mvvm snapshot verify bc.mvvm.snap             is it whole, and does it fit?

mvvm <command> --help lists the options of a command, mvvm --version the versions.
NO_COLOR switches colours off.
`;
}

/** One line, without a full stop. */
export function summaryOf(command: Command): string {
  return help[command].summary;
}

/** The options and examples of one command, for a screen of so many columns. */
export function helpOf(command: Command, columns: number | undefined): string {
  const { usage, text, examples, statuses } = help[command];
  return layOutHelp({ usage, text, options: optionsOf(command), examples, notes: [statuses] }, columns);
}
