/** Slots and globals as exact data that a person can read and JSON can hold. */

import { type Slot, wordsOf } from '../abi/index.js';

/**
 * - i32: a signed number; i64: a signed decimal
 * - floats: their bits in hexadecimal, which alone are exact, and a readable form (`-0`, `NaN`, `0.1`)
 * - v128: 32 hexadecimal digits, lane 0 last
 * - references: `null`, `function 3` (the export `mvvm.func.3`) or `host 3`
 */
export type ExactValue =
  | { readonly type: 'i32'; readonly value: number }
  | { readonly type: 'i64'; readonly value: string }
  | { readonly type: 'f32' | 'f64'; readonly bits: string; readonly value: string }
  | { readonly type: 'v128' | 'funcref' | 'externref'; readonly value: string };

export type DecodedSlot = ExactValue & {
  readonly name: string;
  /** False where the slot is dead at the point: it is zero then, and means nothing. */
  readonly live: boolean;
};

/** Scratch, for all slots. */
const view = new DataView(new ArrayBuffer(16));

/** @param next gives the next word of the stream, in the order of pops (low word first) */
export function readSlot({ name, type }: Slot, live: boolean, next: () => number): DecodedSlot {
  const count = wordsOf[type];
  for (let index = 0; index < count; index++) view.setUint32(index * 4, next(), true);
  switch (type) {
    case 'i32':
      return { name, live, type, value: view.getInt32(0, true) };
    case 'i64':
      return { name, live, type, value: view.getBigInt64(0, true).toString() };
    case 'f32':
      return { name, live, type, bits: readBits(count), value: readable(view.getFloat32(0, true)) };
    case 'f64':
      return { name, live, type, bits: readBits(count), value: readable(view.getFloat64(0, true)) };
    case 'v128':
      return { name, live, type, value: readBits(count) };
    case 'funcref':
    case 'externref':
      return { name, live, type, value: referenceText(view.getInt32(0, true)) };
  }
}

function readBits(words: number): string {
  const hex = Array.from({ length: words }, (_, index) =>
    view
      .getUint32(index * 4, true)
      .toString(16)
      .padStart(8, '0'),
  );
  return `0x${hex.reverse().join('')}`;
}

function referenceText(word: number): string {
  if (word === 0) return 'null';
  return word > 0 ? `function ${word - 1}` : `host ${-1 - word}`;
}

function readable(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}
