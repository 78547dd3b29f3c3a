import { describe, expect, test } from '@jest/globals';
import { f64, i32 } from '../ir/expressions.js';
import { OperandLocals } from './operand-locals.js';

function numbered(): OperandLocals {
  let next = 0;
  return new OperandLocals(() => next++);
}

describe('locals for operands', () => {
  test('differ while they are in use', () => {
    const locals = numbered();
    locals.during(() => {
      expect(locals.take(i32, false, false)).not.toBe(locals.take(i32, false, false));
    });
  });

  test('are used again behind the code that took them, not within', () => {
    const locals = numbered();
    const taken: number[] = [];
    locals.during(() => {
      taken.push(locals.take(i32, false, false));
      locals.during(() => taken.push(locals.take(i32, false, false)));
      locals.during(() => taken.push(locals.take(i32, false, false)));
    });
    locals.during(() => taken.push(locals.take(i32, false, false)));
    expect(taken).toEqual([0, 1, 1, 0]);
  });

  test('are of one type, saved or not, in a hot loop or not', () => {
    const locals = numbered();
    const taken: number[] = [];
    for (const [isSaved, isHot] of [
      [false, false],
      [true, false],
      [true, true],
      [false, false],
    ] as const) {
      locals.during(() => taken.push(locals.take(i32, isSaved, isHot), locals.take(f64, isSaved, isHot)));
    }
    expect(taken).toEqual([0, 1, 2, 3, 4, 5, 0, 1]);
  });
});
