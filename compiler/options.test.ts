import { describe, expect, test } from '@jest/globals';
import { levelsOf } from './optimiser/levels.js';
import { type CompileOptions, resolveOptions } from './options.js';

/** Calls as plain JavaScript would, past the types. */
function resolveUnchecked(options: Record<string, unknown>): ReturnType<typeof resolveOptions> {
  const resolve: (options: never) => ReturnType<typeof resolveOptions> = resolveOptions;
  return Reflect.apply(resolve, undefined, [options]);
}

function reasonFor(options: Record<string, unknown>): string {
  try {
    resolveUnchecked(options);
  } catch (error) {
    if (error instanceof Error && 'diagnostic' in error) {
      expect(error.diagnostic).toMatchObject({ code: 'options/invalid' });
      return error.message;
    }
  }
  throw new Error('the options were accepted');
}

describe('options', () => {
  test('without any: counter-loop points, one iteration in 65536, optimised for speed', () => {
    expect(resolveOptions({})).toEqual({
      policies: ['counter-loop-checkpoint'],
      thresholdBits: 16,
      optLevel: 3,
      sizeLevel: 0,
      twinBudget: 0.4,
      text: false,
      verifyEach: false,
    });
  });

  test.each([
    ['little is optimised', { optLevel: 1 }],
    ['small code is preferred', { sizeLevel: 1 }],
  ] as const)('without twins where %s', (_, options) => {
    expect(resolveOptions(options).twinBudget).toBe(0);
    expect(resolveOptions({ ...options, twinBudget: 20 }).twinBudget).toBe(0.2);
  });

  test('an empty list of policies means the default one', () => {
    expect(resolveOptions({ policies: [] }).policies).toEqual(['counter-loop-checkpoint']);
  });

  test('policies come out in one order and once, however they were given', () => {
    const options: CompileOptions = { policies: ['br-checkpoint', 'function-checkpoint', 'br-checkpoint'] };
    expect(resolveOptions(options).policies).toEqual(['function-checkpoint', 'br-checkpoint']);
  });

  test.each([0, 30])('accepts %i threshold bits', (thresholdBits) => {
    expect(resolveOptions({ thresholdBits }).thresholdBits).toBe(thresholdBits);
  });

  test.each([-1, 31, 1.5, Number.NaN, '16'])('refuses %p threshold bits, naming the range', (thresholdBits) => {
    expect(reasonFor({ thresholdBits })).toContain('thresholdBits must be a whole number from 0 to 30');
  });

  test('refuses levels and policies that do not exist', () => {
    expect(reasonFor({ optLevel: 4 })).toContain('optLevel must be 0, 1, 2 or 3');
    expect(reasonFor({ policies: ['sometimes'] })).toContain('policies.0 must be among function-checkpoint');
  });

  test('refuses an option that nobody knows', () => {
    expect(reasonFor({ treshold: 3 })).toBe('unknown option treshold');
  });
});

describe('levels', () => {
  test('size levels 2 and 3 are both the smallest that Binaryen knows', () => {
    expect([0, 1, 2, 3].map((size) => levelsOf(resolveUnchecked({ sizeLevel: size })).shrinkLevel)).toEqual([
      0, 1, 2, 2,
    ]);
  });
});
