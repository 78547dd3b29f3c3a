import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parseStrictJson } from './strict-json.js';

const reason = (text: string): string => {
  try {
    parseStrictJson(text);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : 'not an error';
  }
  return 'accepted';
};

describe('strict JSON', () => {
  test('reads what JSON.stringify writes', () => {
    const value = fc.jsonValue({ maxDepth: 5 }).filter((json) => !JSON.stringify(json).includes('__proto__'));
    fc.assert(
      fc.property(value, fc.constantFrom('', ' ', '\n\t'), (json, space) => {
        const text = JSON.stringify(json, null, space);
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  test('refuses whatever JSON.parse refuses', () => {
    const fragment = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"',
      '\\',
      '"a"',
      '1',
      '-',
      '0',
      '.',
      'e',
      'true',
      'null',
      ' ',
      '\u0001',
    );
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (fragments) => {
        const text = fragments.join('');
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        fc.pre(!valid);
        expect(reason(text)).toMatch(/^StrictJsonError: /);
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ['{"a":1,"a":1}', 'stands twice'],
    ['{"a":1,"\\u0061":1}', 'stands twice'],
    ['{"__proto__":{}}', '"__proto__"'],
    ['[{"\\u005f_proto__":1}]', '"__proto__"'],
    ['1e400', 'too large'],
    ['"\\ud800"', 'half a surrogate pair'],
    ['{}{}', 'the end is expected at character 2'],
    ['', 'a value is expected at character 0'],
    ['"abc', 'the end of a string is expected'],
    ['\ufeff{}', 'a value is expected at character 0'],
  ])('refuses %s', (text, why) => {
    expect(reason(text)).toContain(why);
  });

  test('refuses nesting beyond its cap, without recursing into it', () => {
    expect(reason(`${'['.repeat(32)}${']'.repeat(32)}`)).toBe('accepted');
    expect(reason('['.repeat(1_000_000))).toContain('nested deeper than 32 levels');
    expect(reason('{"a":'.repeat(1_000_000))).toContain('nested deeper than 32 levels');
  });

  test('refuses more values than its cap, which would take minutes and gigabytes', () => {
    const values = (count: number): string => `[${'0,'.repeat(count - 2)}0]`;
    expect(reason(values(2 ** 22))).toBe('accepted');
    expect(reason(values(2 ** 22 + 1))).toContain('more than 4194304 values');
    expect(reason(`[${'[],'.repeat(2 ** 24)}0]`)).toContain('more than 4194304 values');
  });

  test('reads strings of megabytes, with escapes, in linear time', () => {
    const text = JSON.stringify({ content: '\\"'.repeat(1_000_000) });
    expect(parseStrictJson(text)).toEqual({ content: '\\"'.repeat(1_000_000) });
  });
});
