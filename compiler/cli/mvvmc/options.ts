/** The options of mvvmc in one table: what the parser takes, what the help says, what completion offers. */

import { passes } from '../../../passes/index.js';
import { type Policy, policies } from '../../../runtime/abi/index.js';
import { defaults, defaultTwinBudget, maxThresholdBits } from '../../options.js';
import { moduleStages } from '../../stages.js';
import type { Option, OptionTable } from '../option-table.js';

const groups = {
  policies: 'Stable points (several policies combine; without one: --enable-counter-loop-checkpoint)',
  optimising: 'Optimising',
  output: 'Output',
  inspecting: 'Looking inside',
  other: 'Other',
} as const;

/** The policies' flags, as the table of passes has them. */
export const policyFlags: ReadonlyMap<string, { readonly policy: Policy; readonly description: string }> = new Map(
  policies.flatMap((policy) => {
    const pass = passes.find(({ name }) => name === policy);
    if (pass?.flag === undefined) return [];
    return [[pass.flag, { policy, description: pass.description }] as const];
  }),
);

export const dumpable: readonly string[] = [
  moduleStages[0],
  ...passes.filter((pass) => pass.stage !== 'analysis').map((pass) => pass.name),
  moduleStages[1],
];

export const options: OptionTable = {
  ...Object.fromEntries(
    [...policyFlags].map(([name, { description }]): [string, Option] => [
      name,
      { group: groups.policies, description, type: 'boolean' },
    ]),
  ),
  'threshold-bits': {
    group: groups.policies,
    description: `Counted points fire once in 2^x iterations; 0 to ${maxThresholdBits}`,
    type: 'string',
    alias: ['checkpoint-freq'],
    shownDefault: String(defaults.thresholdBits),
  },
  'enable-checkpoint-pgo': {
    group: groups.policies,
    description: 'Leave out points that this profile (a JSON file) shows to be too hot; every cycle keeps one',
    type: 'string',
  },
  'opt-level': {
    group: groups.optimising,
    description: 'Optimise for speed as wasm-opt -O0 to -O3 do',
    type: 'string',
    shownDefault: String(defaults.optLevel),
    choices: ['0', '1', '2', '3'],
  },
  'size-level': {
    group: groups.optimising,
    description: 'Prefer small code: 1 as wasm-opt -Os, 2 and 3 as -Oz',
    type: 'string',
    shownDefault: String(defaults.sizeLevel),
    choices: ['0', '1', '2', '3'],
  },
  'twin-budget': {
    group: groups.optimising,
    description:
      'Double up to this percentage of the code, the busiest, so that its speed does not suffer from a way back in',
    type: 'string',
    shownDefault: `${defaultTwinBudget}; 0 below --opt-level=2 or above --size-level=0`,
  },
  'wasm-opt': {
    group: groups.optimising,
    description: 'Optimise with --wasm-opt=<path>; alone: the one on the PATH, else the npm package wasm-opt',
    type: 'string',
    value: 'equals',
    shownDefault: "mvvmc's own",
  },
  output: {
    group: groups.output,
    description: 'Where the module goes; - is standard output',
    type: 'string',
    alias: ['o'],
    shownDefault: 'x.mvvm.wasm for x.wasm, - for -',
  },
  emit: {
    group: groups.output,
    description: 'Write the module as wasm (binary) or wat (text)',
    type: 'string',
    shownDefault: 'wasm',
    choices: ['wasm', 'wat'],
  },
  force: {
    group: groups.output,
    description: 'Let the output replace the input, or binary go to a terminal',
    type: 'boolean',
  },
  'print-passes': { group: groups.inspecting, description: 'List the passes and exit', type: 'boolean' },
  'dump-after': {
    group: groups.inspecting,
    description: 'Print the module as text on standard output after this pass; may be repeated',
    type: 'string',
    choices: dumpable,
  },
  'time-passes': {
    group: groups.inspecting,
    description: 'Say on standard error how long each pass took',
    type: 'boolean',
  },
  'verify-each': {
    group: groups.inspecting,
    description: 'Validate the module after every pass, to find the one that breaks it',
    type: 'boolean',
  },
  report: {
    group: groups.inspecting,
    description:
      '--report=json: one line of JSON on standard error: points by policy and function, sizes before and after, times',
    type: 'string',
    choices: ['json'],
  },
  'report-file': {
    group: groups.inspecting,
    description: 'Write the report to this file instead',
    type: 'string',
  },
  'disable-aux-stack-check': {
    group: groups.other,
    description: 'Accepted for compatibility with wamrc; has no effect',
    type: 'boolean',
  },
  help: { group: groups.other, description: 'Show this text', type: 'boolean', alias: ['h'] },
  version: { group: groups.other, description: 'Show the versions of mvvmc and its parts', type: 'boolean' },
};
