import { describe, expect, test } from '@jest/globals';
import type { OptionTable } from './option-table.js';
import { type SplitWords, splitWords } from './split-words.js';

const text = { group: '', description: '', type: 'string' } as const;
const flag = { group: '', description: '', type: 'boolean' } as const;
const table: OptionTable = {
  output: { ...text, alias: ['o'] },
  arguments: { ...text, alias: ['a', 'args'], value: 'any next' },
  seed: { ...text, value: 'equals' },
  debug: { ...flag, alias: ['i'] },
  help: { ...flag, alias: ['h'] },
};

const split = (line: string): SplitWords => splitWords(line === '' ? [] : line.split(' '), table, 'see the table');

describe('words are', () => {
  test.each<[string, SplitWords['given'], string[]]>([
    ['', {}, []],
    ['a - b', {}, ['a', '-', 'b']],
    ['--output=x a', { output: 'x' }, ['a']],
    ['--output x a', { output: 'x' }, ['a']],
    ['-o x a', { output: 'x' }, ['a']],
    ['-ox a', { output: 'x' }, ['a']],
    ['-o=x a', { output: 'x' }, ['a']],
    ['--output=a=b', { output: 'a=b' }, []],
    ['--output=', { output: '' }, []],
    ['-o -', { output: '-' }, []],
    ['-ih a', { debug: true, help: true }, ['a']],
    ['-io x', { debug: true, output: 'x' }, []],
    ['-a -g20,-n1000 b', { arguments: '-g20,-n1000' }, ['b']],
    ['--args -- b', { arguments: '--' }, ['b']],
    ['--seed b', { seed: '' }, ['b']],
    ['--seed=7 b', { seed: '7' }, ['b']],
    ['-o x -o y -o z', { output: ['x', 'y', 'z'] }, []],
    ['-i --debug', { debug: [true, true] }, []],
    ['a -- -i --output', {}, ['a', '-i', '--output']],
  ])('%s', (line, given, operands) => {
    expect(split(line)).toEqual({ given, operands });
  });
});

describe('refused with what to do are', () => {
  test.each([
    ['--outptu=x', 'unknown option --outptu', 'did you mean --output?'],
    ['-z', 'unknown option -z', 'see the table'],
    ['-iz', 'unknown option -z', 'see the table'],
    ['--o=x', 'unknown option -o', 'see the table'],
    ['--no-debug', 'unknown option --no-debug', 'see the table'],
    ['--__proto__', 'unknown option --__proto__', 'see the table'],
    ['--debug=yes', '--debug takes no value', 'write --debug alone, or leave it out'],
    ['-i=yes', '-i takes no value', 'write -i alone, or leave it out'],
    ['-o', '--output needs a value', 'see the table'],
    ['--output --debug', '--output needs a value', 'see the table'],
  ])('%s', (line, message, hint) => {
    expect(() => split(line)).toThrow(expect.objectContaining({ message, hint }));
  });
});
