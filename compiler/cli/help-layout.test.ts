import { expect, test } from '@jest/globals';
import { type HelpPage, layOutHelp } from './help-layout.js';

const page: HelpPage = {
  usage: 'do [options] <it>',
  text: 'Does it, and says so when it is done, on a screen of any width.',
  options: {
    output: { group: 'Output', type: 'string', alias: ['o'], description: 'Where it goes', shownDefault: 'here' },
    force: { group: 'Output', type: 'boolean', description: 'Even if it was done before, by somebody else' },
  },
  examples: [
    ['do it', 'once'],
    ['do --force --output=somewhere/else it', 'again, and elsewhere'],
  ],
  notes: ['Status: 0 done.'],
};

test('a page of help stands in two columns; a command is never broken, its meaning goes below', () => {
  expect(layOutHelp(page, 56)).toBe(`do [options] <it>

Does it, and says so when it is done, on a screen of any
width.

Output:
  -o, --output  Where it goes (default: here)
      --force   Even if it was done before, by somebody
                else

Examples:
  do it  once
  do --force --output=somewhere/else it
         again, and elsewhere

Status: 0 done.
`);
});

test('a screen that does not know its width has a usual one', () => {
  expect(layOutHelp(page, 0)).toBe(layOutHelp(page, 100));
  expect(layOutHelp(page, undefined)).toBe(layOutHelp(page, 1000));
});
