import { describe, expect, test } from '@jest/globals';
import { type CompileRequest, helpText, parseCommandLine } from './command-line.js';

function parse(line: string): CompileRequest {
  const request = parseCommandLine(line.split(' '));
  if (request.kind !== 'compile') throw new Error(`a request to ${request.kind}`);
  return request;
}

function complaint(line: string): string {
  try {
    parseCommandLine(line.split(' '));
  } catch (error) {
    const { name, message, hint } = Object(error);
    expect(name).toBe('CommandLineError');
    return `${message} - ${hint}`;
  }
  throw new Error('the command line was accepted');
}

describe('the command lines of the design', () => {
  test('the short one', () => {
    expect(parse('--opt-level=3 --threshold-bits=16 -o bc.mvvm.wasm bc.wasm')).toMatchObject({
      input: 'bc.wasm',
      output: 'bc.mvvm.wasm',
      optLevel: 3,
      thresholdBits: 16,
      policies: [],
    });
  });

  test('the long one', () => {
    const line =
      '--opt-level=3 --threshold-bits=16 --disable-aux-stack-check --enable-counter-loop-checkpoint -o bc.mvvm.wasm bc.wasm';
    expect(parse(line)).toMatchObject({ input: 'bc.wasm', policies: ['counter-loop-checkpoint'] });
  });
});

describe('options', () => {
  test('defaults', () => {
    expect(parse('a.wasm')).toEqual({
      kind: 'compile',
      input: 'a.wasm',
      output: 'a.mvvm.wasm',
      emit: 'wasm',
      force: false,
      policies: [],
      thresholdBits: 16,
      optLevel: 3,
      sizeLevel: 0,
      dumpAfter: [],
      timePasses: false,
      verifyEach: false,
      report: false,
    });
  });

  test('every policy has its flag, and they combine', () => {
    const line =
      '--enable-checkpoint --enable-loop-checkpoint --enable-counter-loop-checkpoint --enable-loop-dirty-checkpoint' +
      ' --enable-br-checkpoint --enable-every-checkpoint a.wasm';
    expect(parse(line).policies).toEqual([
      'function-checkpoint',
      'loop-checkpoint',
      'counter-loop-checkpoint',
      'loop-dirty-checkpoint',
      'br-checkpoint',
      'every-checkpoint',
    ]);
  });

  test('--checkpoint-freq is --threshold-bits by its other name', () => {
    expect(parse('--checkpoint-freq=3 a.wasm').thresholdBits).toBe(3);
    expect(complaint('--checkpoint-freq=3 --threshold-bits=4 a.wasm')).toContain('more than once');
  });

  test('values may follow as words of their own', () => {
    expect(parse('--threshold-bits 5 --opt-level 0 a.wasm')).toMatchObject({ thresholdBits: 5, optLevel: 0 });
  });

  test('--wasm-opt never takes the module for its value', () => {
    expect(parse('--wasm-opt a.wasm')).toMatchObject({ wasmOpt: true, input: 'a.wasm' });
    expect(parse('--wasm-opt=/bin/wasm-opt a.wasm')).toMatchObject({ wasmOpt: '/bin/wasm-opt', input: 'a.wasm' });
  });

  test('a profile', () => {
    expect(parse('--enable-checkpoint-pgo=p.json a.wasm').profile).toBe('p.json');
    expect(complaint('a.wasm --enable-checkpoint-pgo')).toContain('--enable-checkpoint-pgo needs a value');
  });

  test('the output is named after the input unless it is given', () => {
    expect(parse('lib/a.wasm').output).toBe('lib/a.mvvm.wasm');
    expect(parse('--emit=wat a.wasm').output).toBe('a.mvvm.wat');
    expect(parse('-').output).toBe('-');
    expect(parse('- -o a').output).toBe('a');
    expect(parse('a.wasm -o -').output).toBe('-');
  });

  test('a report file asks for the report', () => {
    expect(parse('--report=json a.wasm').report).toBe(true);
    expect(parse('--report-file=r.json a.wasm')).toMatchObject({ report: true, reportFile: 'r.json' });
  });

  test('a module whose name looks like an option comes after --', () => {
    expect(parse('-- --force=1').input).toBe('--force=1');
  });
});

describe('wrong command lines', () => {
  test.each([
    ['--opt-level=4 a.wasm', '--opt-level must be 0, 1, 2 or 3'],
    ['--size-level=x a.wasm', '--size-level must be 0, 1, 2 or 3'],
    ['--threshold-bits=31 a.wasm', '--threshold-bits must be a whole number from 0 to 30'],
    ['--threshold-bits=-1 a.wasm', '--threshold-bits must be a whole number from 0 to 30'],
    ['--threshold-bits=1e1 a.wasm', '--threshold-bits must be a whole number from 0 to 30'],
    ['--emit=elf a.wasm', '--emit must be wasm or wat'],
    ['--report=xml a.wasm', '--report must be json'],
    ['-o a -o b a.wasm', '--output is given more than once'],
    ['--enable-checkpoint=yes a.wasm', '--enable-checkpoint takes no value'],
    ['a.wasm -o', 'needs a value'],
    ['a.wasm b.wasm', 'more than one module given: a.wasm and b.wasm'],
    ['--opt-levl=3 a.wasm', 'unknown option --opt-levl - did you mean --opt-level?'],
    ['--enable-loop-checkpint a.wasm', 'did you mean --enable-loop-checkpoint?'],
    ['-z a.wasm', 'unknown option -z - `mvvmc --help` lists the options'],
    ['--no-force a.wasm', 'unknown option --no-force'],
    ['--dump-after=loop-checkpont a.wasm', 'there is no pass loop-checkpont - did you mean loop-checkpoint?'],
    ['--dump-after=optimise -o - a.wasm', 'both go to standard output - add -o <file>'],
  ])('%s', (line, message) => {
    expect(complaint(line)).toContain(message);
  });

  test('no module', () => {
    expect(() => parseCommandLine([])).toThrow('no module given');
  });
});

describe('questions', () => {
  test.each([
    ['--help', 'help'],
    ['-h', 'help'],
    ['--version', 'version'],
    ['--print-passes', 'print-passes'],
  ])('%s needs no module', (word, kind) => {
    expect(parseCommandLine([word])).toEqual({ kind });
  });

  test('the help names every option in its group and fits the screen', () => {
    const help = helpText(80);
    for (const text of [
      '--enable-checkpoint ',
      '--threshold-bits, --checkpoint-freq',
      '--wasm-opt',
      '-o, --output',
      '--dump-after',
    ]) {
      expect(help).toContain(text);
    }
    for (const group of ['Optimising:', 'Output:', 'Looking inside:', 'Examples:'])
      expect(help).toContain(`\n${group}\n`);
    expect(help.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });
});
