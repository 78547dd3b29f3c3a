import { describe, expect, test } from '@jest/globals';
import { checkInput } from './check-input.js';

const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];

/** The diagnostic that checking these bytes throws, or undefined. */
function problemOf(bytes: readonly number[] | string): { code: string; message: string; hint: string } | undefined {
  try {
    checkInput(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Uint8Array.from(bytes));
    return undefined;
  } catch (error) {
    if (error instanceof Error && 'diagnostic' in error) return Object(error.diagnostic);
    throw error;
  }
}

function customSection(name: string): number[] {
  const bytes = [...Buffer.from(name)];
  return [0, bytes.length + 1, bytes.length, ...bytes];
}

describe('the outline of a module', () => {
  test('accepts a module without sections', () => {
    expect(problemOf(header)).toBeUndefined();
  });

  test('accepts custom sections of others and sections it does not know', () => {
    expect(problemOf([...header, ...customSection('producers'), 99, 2, 0, 0])).toBeUndefined();
  });

  test('refuses no bytes at all', () => {
    expect(problemOf([])?.code).toBe('input/empty');
  });

  test.each([1, 3, 4, 7])('refuses a header that ends after %i bytes', (length) => {
    const problem = problemOf(header.slice(0, length));
    expect(problem).toMatchObject({ code: 'input/truncated' });
    expect(problem?.message).toContain(`at byte ${length}`);
  });

  test('refuses a module at every length that cuts a section', () => {
    const whole = [...header, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0];
    const boundaries = [8, 14, 18];
    for (let length = 8; length <= whole.length; length++) {
      const expected = boundaries.includes(length) ? undefined : 'input/truncated';
      expect(problemOf(whole.slice(0, length))?.code).toBe(expected);
    }
  });

  test('names the section in which a module ends', () => {
    expect(problemOf([...header, 10, 100, 0])?.message).toBe(
      'the module ends at byte 11, in the middle of the code section',
    );
  });

  test('does not believe a section of four gigabytes', () => {
    expect(problemOf([...header, 1, 0xff, 0xff, 0xff, 0xff, 0x0f])?.code).toBe('input/truncated');
  });

  test('refuses a component', () => {
    expect(problemOf([0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00])?.code).toBe('input/component');
  });

  test('refuses a binary version that does not exist, naming it', () => {
    const problem = problemOf([0x00, 0x61, 0x73, 0x6d, 0x02, 0x00, 0x00, 0x00]);
    expect(problem).toMatchObject({ code: 'input/version' });
    expect(problem?.message).toContain('version 2');
  });

  test.each(['mvvm.map', 'mvvm.info'])('refuses a module with the section %s: it was compiled before', (name) => {
    const problem = problemOf([...header, ...customSection(name)]);
    expect(problem).toMatchObject({ code: 'input/already-compiled', hint: 'compile the original module' });
    expect(problem?.message).toContain(name);
  });
});

describe('files that are no modules', () => {
  test.each([
    ['(module)', 'WebAssembly text', 'wat2wasm'],
    ['\xef\xbb\xbf  ;; comment\n(module)', 'WebAssembly text', 'wat2wasm'],
    ['\x7fELF\x02\x01\x01', 'a native program (ELF)', 'wasm32-wasi'],
    ['MZ\x90\x00', 'a Windows program', 'wasm32-wasi'],
    ['\x1f\x8b\x08\x00', 'a gzip file', 'unpack'],
    ['PK\x03\x04', 'a zip file', 'unpack'],
    ['BC\xc0\xde', 'LLVM bitcode', 'link'],
    ['{"version": 1}', 'a JSON file', '.wasm'],
    ['<!DOCTYPE html>', 'an HTML or XML page', 'address'],
  ])('tells what %j is and what to do', (content, what, hint) => {
    const problem = problemOf(content);
    expect(problem).toMatchObject({ code: 'input/not-wasm', message: `not a WebAssembly module but ${what}` });
    expect(problem?.hint).toContain(hint);
  });

  test('says so of anything else', () => {
    expect(problemOf('hello')).toMatchObject({ code: 'input/not-wasm', message: 'not a WebAssembly module' });
  });
});
