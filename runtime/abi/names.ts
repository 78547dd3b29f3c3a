/**
 * Every name that a compiled module and the runtime share. docs/abi.md explains each of them; this file is where
 * both sides take them from, so that they cannot drift apart.
 */

/** Version of the contract between compiled modules and runtimes. Changed whenever either side could misread the other. */
export const ABI_VERSION = 2;

/** Names beginning with this belong to us; a module that already uses one is refused by the compiler. */
export const RESERVED_PREFIX = 'mvvm';

/** The module name of everything a compiled module imports from the runtime. */
export const IMPORT_MODULE = 'mvvm';

/** Functions imported from {@link IMPORT_MODULE}. */
export const imports = {
  /** `(point: i32, budget: i32) -> i32`: a poll fired. The new budget (> 0) to continue, 0 to checkpoint. */
  poll: 'poll',
  /** `(word: i32)`: pushes one word on the stream. */
  push: 'push',
  /** `() -> i32`: pops the word pushed last. */
  pop: 'pop',
  /** `(point: i32) -> i32`: a frame at this point cannot leave after all. The new budget; imported where it can be needed. */
  stay: 'stay',
  /** `(funcref) -> i32` and `(externref) -> i32`: the word of a reference; imported where there are such slots. */
  funcrefToWord: 'funcref_to_word',
  externrefToWord: 'externref_to_word',
  /** `(i32) -> funcref` and `(i32) -> externref`: the reference that a word stands for. */
  wordToFuncref: 'word_to_funcref',
  wordToExternref: 'word_to_externref',
  /** `() -> externref`: a reference that has no word, for an exception from outside; imported where slots hold exceptions. */
  foreignException: 'foreign_exception',
} as const;

/** Exports that the compiler adds. */
export const exports = {
  /** `()`: the host calls it inside a host call that it leaves unfinished: on return the guest unwinds. */
  interrupt: 'mvvm.interrupt',
  /** `()`: all frames have left; pushes the module's own state and returns the module to normal. */
  save: 'mvvm.save',
  /** `(budget: i32)`: pops the module's own state; the next call of the entry export rewinds. */
  load: 'mvvm.load',
  /** `(on: i32)`: while on, the entry of every instrumented function fires. */
  watch: 'mvvm.watch',
  /** `(budget: i32)`: sets the budget; called once before a fresh start. */
  setBudget: 'mvvm.set_budget',
  /** `()`: pushes and clears the dirty bits (loop-dirty policy only); in the order of pops: region shift, low word, high word. */
  takeDirty: 'mvvm.take_dirty',
  /** The former start function, `() -> ()`: called once on a fresh start, before the entry. */
  start: 'mvvm.start',
  /** Memory `n` where the module does not export it itself. */
  memory: (index: number): string => `mvvm.memory.${index}`,
  /** Table `n` where the module can change it. */
  table: (index: number): string => `mvvm.table.${index}`,
  /** The `n`-th function of which a reference can exist, present when tables can change or slots hold references. */
  func: (index: number): string => `mvvm.func.${index}`,
} as const;

/** Custom sections that the compiler writes. */
export const sections = {
  /** The stable map, see stable-map.ts. */
  map: 'mvvm.map',
  /** Where the module comes from, see module-info.ts. */
  info: 'mvvm.info',
} as const;
