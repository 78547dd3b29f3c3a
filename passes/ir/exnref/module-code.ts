/**
 * A binary module taken apart as far as translating its exceptions needs: types, tags, and the code of each function. What
 * is not code is copied.
 */

import { ByteReader, ByteWriter, MalformedBytes } from '../../../runtime/abi/index.js';
import { importKinds, readImports } from '../binary-facts.js';
import { skipType } from '../instruction-reader.js';
import { joinBytes, readSections, type Section, sectionIds, writeSections } from '../sections.js';

/** The bytes of one value type. */
export type TypeBytes = Uint8Array;

interface FunctionType {
  readonly params: readonly TypeBytes[];
  readonly results: readonly TypeBytes[];
}

/** A function with code. */
export interface FunctionCode {
  readonly params: number;
  /** Declarations of locals, then instructions. */
  readonly code: Uint8Array;
}

const functionForm = 0x60;
const noBlockType = Uint8Array.of(0x40);

export class ModuleCode {
  readonly #sections: readonly Section[];
  readonly #types: FunctionType[];
  readonly #functionTypes: readonly number[];
  readonly #tagTypes: readonly number[];
  /** Index of each imported function, by `module.base`. */
  readonly #imported: ReadonlyMap<string, number>;
  readonly #importedCount: number;
  readonly #bodies: readonly Uint8Array[];

  /** @throws {MalformedBytes} for types other than those of functions, too */
  constructor(module: Uint8Array) {
    this.#sections = readSections(module);
    const imports = this.#read(sectionIds.import, readImports);
    const functions = imports.filter(({ kind }) => kind === importKinds.function);
    const tags = imports.filter(({ kind }) => kind === importKinds.tag);
    this.#types = this.#read(sectionIds.type, (section) => section.list(() => readFunctionType(section), 3));
    this.#functionTypes = this.#read(sectionIds.function, (section) => section.list(() => section.u32()));
    this.#tagTypes = [
      ...tags.map(({ type }) => type),
      ...this.#read(sectionIds.tag, (section) => section.list(() => readTagType(section), 2)),
    ];
    this.#bodies = this.#read(sectionIds.code, (section) => section.list(() => section.bytes(section.u32())));
    this.#imported = new Map(functions.map(({ module, base }, index) => [`${module}.${base}`, index]));
    this.#importedCount = functions.length;
  }

  #read<T>(id: number, read: (content: ByteReader) => T[]): T[] {
    const section = this.#sections.find((candidate) => candidate.id === id);
    return section === undefined ? [] : read(new ByteReader(section.content));
  }

  /** Index of an imported function; -1 when there is none. */
  importIndex(module: string, base: string): number {
    return this.#imported.get(`${module}.${base}`) ?? -1;
  }

  /** Index of the `n`-th function from the end. */
  indexFromEnd(n: number): number {
    return this.#importedCount + this.#bodies.length - n;
  }

  functions(): FunctionCode[] {
    return this.#bodies.map((code, index) => ({ params: this.#type(this.#functionTypes[index]).params.length, code }));
  }

  /** What an exception of a tag carries. */
  payloadOf(tag: number): readonly TypeBytes[] {
    return this.#type(this.#tagTypes[tag]).params;
  }

  #type(index: number | undefined): FunctionType {
    const type = index === undefined ? undefined : this.#types[index];
    if (type === undefined) throw new MalformedBytes('names a type that it does not have');
    return type;
  }

  /** The type of a block without parameters that leaves `results`. */
  blockType(results: readonly TypeBytes[]): Uint8Array {
    const [only] = results;
    if (only === undefined) return noBlockType;
    if (results.length === 1) return only;
    const known = this.#types.findIndex((type) => type.params.length === 0 && areSame(type.results, results));
    return writeSigned(known >= 0 ? known : this.#types.push({ params: [], results }) - 1);
  }

  /** The module with other code. Without the last functions, if there is code for fewer. */
  write(bodies: readonly Uint8Array[]): Uint8Array {
    const removed = this.#bodies.length - bodies.length;
    const functionTypes = this.#functionTypes.slice(0, bodies.length);
    return writeSections(
      this.#sections.flatMap(({ id, content }): Section[] => {
        switch (id) {
          case sectionIds.type:
            return [{ id, content: writeList(this.#types.map(writeFunctionType)) }];
          case sectionIds.function:
            return [{ id, content: writeList(functionTypes.map(writeUnsigned)) }];
          case sectionIds.code:
            return [
              {
                id,
                content: writeList(
                  bodies.flatMap((body) => [writeUnsigned(body.length), body]),
                  bodies.length,
                ),
              },
            ];
          case sectionIds.custom:
            return [{ id, content: removed === 0 ? content : withoutLastNames(content, this.indexFromEnd(removed)) }];
          default:
            return [{ id, content }];
        }
      }),
    );
  }
}

function readTagType(section: ByteReader): number {
  section.u8();
  return section.u32();
}

function readFunctionType(section: ByteReader): FunctionType {
  if (section.u8() !== functionForm) throw new MalformedBytes('has types of garbage collection');
  const readTypes = (): TypeBytes[] => section.list(() => readType(section));
  return { params: readTypes(), results: readTypes() };
}

function readType(section: ByteReader): TypeBytes {
  const rest = section.rest();
  const before = section.left;
  skipType(section);
  return rest.subarray(0, before - section.left);
}

function writeFunctionType({ params, results }: FunctionType): Uint8Array {
  return joinBytes([Uint8Array.of(functionForm), writeList(params), writeList(results)]);
}

const writeUnsigned = (value: number): Uint8Array => new ByteWriter().u32(value).finish();

/** The index of a type where a type could stand, too: as a signed number. */
function writeSigned(index: number): Uint8Array {
  const bytes = writeUnsigned(index);
  const last = bytes[bytes.length - 1] ?? 0;
  if ((last & 0x40) === 0) return bytes;
  // Its highest bit would be taken for a sign.
  bytes[bytes.length - 1] = last | 0x80;
  return joinBytes([bytes, Uint8Array.of(0)]);
}

function writeList(items: readonly Uint8Array[], count: number = items.length): Uint8Array {
  return joinBytes([writeUnsigned(count), ...items]);
}

function areSame(left: readonly TypeBytes[], right: readonly TypeBytes[]): boolean {
  return left.length === right.length && left.join(' ') === right.join(' ');
}

const functionNames = 1;

/** A name section without the names of functions from `end` on; another custom section as it is. */
function withoutLastNames(content: Uint8Array, end: number): Uint8Array {
  const reader = new ByteReader(content);
  if (reader.text() !== 'name') return content;
  const parts: Uint8Array[] = [new ByteWriter().text('name').finish()];
  while (reader.left > 0) {
    const kind = reader.u8();
    const part = reader.bytes(reader.u32());
    const kept = kind === functionNames ? firstNames(new ByteReader(part), end) : part;
    parts.push(Uint8Array.of(kind), writeUnsigned(kept.length), kept);
  }
  return joinBytes(parts);
}

function firstNames(names: ByteReader, end: number): Uint8Array {
  const entries = names.list(() => ({ index: names.u32(), name: names.bytes(names.u32()) }), 2);
  const kept = entries.filter(({ index }) => index < end);
  return writeList(
    kept.flatMap(({ index, name }) => [writeUnsigned(index), writeUnsigned(name.length), name]),
    kept.length,
  );
}
