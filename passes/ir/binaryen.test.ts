import { expect, test } from '@jest/globals';
import { api, keepingStack } from './binaryen.js';

/** Where the stack in Binaryen's memory ends now. */
function endOfStack(): number {
  const push: unknown = Reflect.get(api, 'stringToUTF8OnStack');
  if (typeof push !== 'function')
    throw new Error('this build of the binaryen package cannot put a string on its stack');
  return keepingStack(() => Number(push('')));
}

test('what Binaryen leaves on its stack when it refuses a module is given back', () => {
  const before = endOfStack();
  for (let count = 0; count < 3; count++) {
    expect(() => keepingStack(() => api.readBinary(Uint8Array.of(0, 0x61, 0x73, 0x6d)))).toThrow();
  }
  expect(endOfStack()).toBe(before);
  expect(() => api.readBinary(Uint8Array.of(0, 0x61, 0x73, 0x6d))).toThrow();
  expect(endOfStack()).toBeLessThan(before);
});

test('what runs inside gives its result, or its error', () => {
  expect(keepingStack(() => keepingStack(() => 'result'))).toBe('result');
  expect(() =>
    keepingStack(() => {
      throw new RangeError('its own');
    }),
  ).toThrow(new RangeError('its own'));
  api.addPassToSkip('flatten');
  api.clearPassesToSkip();
});
