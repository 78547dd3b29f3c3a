import { describe, expect, test } from '@jest/globals';
import type { ExportInfo, SlotType } from '../abi/index.js';
import { findEntry, listResults, makeArguments, zeroArguments } from './entry.js';

const empty = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
const exportOf = (params: readonly SlotType[], results: readonly SlotType[] = []): ExportInfo => ({
  name: 'f',
  function: 0,
  signature: { params, results },
});

describe('arguments from a command line', () => {
  test.each<[SlotType, string, number | bigint]>([
    ['i32', '-7', -7],
    ['i32', '0xffffffff', 4294967295],
    ['i32', '4294967295', 4294967295],
    ['i64', '9223372036854775807', 9223372036854775807n],
    ['i64', '-9223372036854775808', -9223372036854775808n],
    ['i64', '0xffffffffffffffff', 18446744073709551615n],
    ['f32', '1.5', 1.5],
    ['f64', '-1e-300', -1e-300],
    ['f64', 'nan', Number.NaN],
    ['f64', '-inf', -Infinity],
  ])('%s %s', (type, text, value) => {
    expect(makeArguments(exportOf([type]), [text])).toEqual([value]);
  });

  test.each<[SlotType, string]>([
    ['i32', '4294967296'],
    ['i32', '-2147483649'],
    ['i32', '1.5'],
    ['i32', ''],
    ['i64', '18446744073709551616'],
    ['i64', '1e3'],
    ['f64', 'fast'],
    ['f64', ''],
  ])('%s refuses %j', (type, text) => {
    expect(() => makeArguments(exportOf([type]), [text])).toThrow(
      expect.objectContaining({ code: 'wrong-arguments', message: expect.stringContaining(JSON.stringify(text)) }),
    );
  });
});

test('an i64 takes any safe integer as a number', () => {
  expect(makeArguments(exportOf(['i64', 'i64']), [2 ** 53 - 1, -1])).toEqual([9007199254740991n, -1n]);
  expect(() => makeArguments(exportOf(['i64']), [2 ** 53])).toThrow(
    expect.objectContaining({ code: 'wrong-arguments' }),
  );
});

test('re-entering passes zeros of the right types', () => {
  expect(zeroArguments(exportOf(['i32', 'i64', 'f32', 'f64']))).toEqual([0, 0n, 0, 0]);
});

test('results are a list, whatever their number', () => {
  expect(listResults(exportOf([], []), undefined)).toEqual([]);
  expect(listResults(exportOf([], ['i64']), 5n)).toEqual([5n]);
  expect(listResults(exportOf([], ['i32', 'i64']), [1, 2n])).toEqual([1, 2n]);
});

test('an export with vectors cannot be the entry', () => {
  for (const entry of [exportOf(['v128']), exportOf([], ['v128'])]) {
    expect(() => findEntry([entry], empty, 'f')).toThrow(
      expect.objectContaining({ code: 'unsupported-entry', message: expect.stringContaining('v128') }),
    );
  }
});
