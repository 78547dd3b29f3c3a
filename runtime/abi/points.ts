/** The kinds of stable points. The position in this list is the kind's code in the stable map. */
export const pointKinds = ['entry', 'loop', 'call', 'host', 'branch', 'instruction'] as const;

/**
 * - `entry`: before a function's first instruction; every instrumented function has one
 * - `loop`: between two iterations of a loop; where the loop has points inside, also before its first
 * - `call`: inside a call to another instrumented function, waiting for its result. Never the innermost frame
 * - `host`: before a call to an import; on restore the call is made again
 * - `branch`: before a branch
 * - `instruction`: before some other instruction
 */
export type PointKind = (typeof pointKinds)[number];

/** Value types a slot can have. The position in this list is the type's code in the stable map. */
export const slotTypes = ['i32', 'i64', 'f32', 'f64', 'v128', 'funcref', 'externref'] as const;
export type SlotType = (typeof slotTypes)[number];

/** Slot types whose words the host finds, see docs/abi.md, "Tables and references". */
export const referenceTypes = ['funcref', 'externref'] as const;
export type ReferenceType = (typeof referenceTypes)[number];

export function isReference(type: SlotType): type is ReferenceType {
  return type === 'funcref' || type === 'externref';
}

/** Words of 32 bits that a value of this type takes in the stream; low word first when popped. */
export const wordsOf: Readonly<Record<SlotType, number>> = {
  i32: 1,
  i64: 2,
  f32: 1,
  f64: 2,
  v128: 4,
  funcref: 1,
  externref: 1,
};
