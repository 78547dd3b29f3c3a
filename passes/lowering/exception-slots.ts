/**
 * Slots that hold exceptions (`exnref`). An exception of the module's own is what its tag and its payload say, so a slot is
 * saved as several:
 *
 *     which tag: 0 for null, n + 1 for the n-th | what comes from outside the module | values of payloads, shared by all tags
 *
 *     mvvm.take_exception : exnref -> these            throws it, and looks what it was
 *     mvvm.make_exception : these -> exnref            throws another like it, and catches that
 *
 * An exception with no tag that the module knows comes from outside and cannot be made anew. It is kept in a table, under -1
 * minus the number that stands for the tag, until its frame comes back; and in the second place goes a reference of the
 * host's that nobody can save, by which the host learns that there can be no checkpoint now.
 */

import { IMPORT_MODULE, imports, type SlotType } from '../../runtime/abi/index.js';
import { refuse, unsupportedSlot } from '../diagnostics.js';
import type { Expr, Type } from '../ir/binaryen.js';
import { payloadOf } from '../ir/exceptions.js';
import { caught, throwRef } from '../ir/exnref/stand-ins.js';
import { exnref, externref, i32, makeTupleType, none, typeName, typeParts } from '../ir/expressions.js';
import { slotTypeOf, typeOfSlot } from '../ir/make.js';
import type { IrModule } from '../ir/module.js';

/** Names of what is added to the module. */
const takeFunction = 'mvvm.take_exception';
const makeFunction = 'mvvm.make_exception';
const foreignFunction = `mvvm.${imports.foreignException}`;
/** Exceptions from outside while frames leave that cannot. */
export const exceptionTable = 'mvvm.exceptions';
/** How many of them there are. */
export const exceptionCount = 'mvvm.exception_count';

const selector = 0;
const foreign = 1;

interface Tag {
  readonly name: string;
  readonly payload: Type;
  /** For each value of the payload: the part where it is. */
  readonly places: readonly number[];
}

interface Layout {
  readonly parts: readonly SlotType[];
  readonly tags: readonly Tag[];
}

export class ExceptionSlots {
  readonly #module: IrModule;
  readonly #tags: readonly string[];
  #found: Layout | undefined;
  #isMade = false;

  /** @param tags what exceptions of the module's own can have */
  constructor(module: IrModule, tags: readonly string[]) {
    this.#module = module;
    this.#tags = tags;
  }

  /** What a slot is saved as. */
  get parts(): readonly SlotType[] {
    return this.#layout.parts;
  }

  /** The parts as one value. */
  get type(): Type {
    return makeTupleType(this.parts.map((part) => typeOfSlot[part]));
  }

  /** The parts of an exception. */
  makeTake(exception: Expr): Expr {
    this.#addFunctions();
    return this.#module.make.call(takeFunction, [exception], this.type);
  }

  /** The exception that parts describe. */
  makeMake(parts: readonly Expr[]): Expr {
    this.#addFunctions();
    return this.#module.make.call(makeFunction, parts, exnref);
  }

  get #layout(): Layout {
    this.#found ??= findLayout(this.#module, this.#tags);
    return this.#found;
  }

  #addFunctions(): void {
    if (this.#isMade) return;
    this.#isMade = true;
    const module = this.#module;
    module.addFunctionImport(
      foreignFunction,
      { module: IMPORT_MODULE, base: imports.foreignException },
      none,
      externref,
    );
    module.addTable(exceptionTable, exnref);
    module.addGlobal(exceptionCount, i32, module.make.const(0));
    this.#addTake();
    this.#addMake();
  }

  #addTake(): void {
    const { make } = this.#module;
    const { parts, tags } = this.#layout;
    const exception = (): Expr => make.get(0, exnref);
    /** The local of a part. */
    const local = (part: number): number => 1 + part;
    const payloads = tags.map(({ payload }) => payload).filter((payload) => payload !== none);
    const payloadLocal = (payload: Type): number => local(parts.length) + payloads.indexOf(payload);
    const keep = ({ payload, places }: Tag, index: number): Expr => {
      const from = payloadLocal(payload);
      const value = (at: number): Expr =>
        places.length === 1 ? make.get(from, payload) : make.extract(make.get(from, payload), at);
      return make.block(null, [
        ...(payload === none ? [] : [make.set(from, make.pop(payload))]),
        make.set(local(selector), make.const(index + 1)),
        ...places.map((part, at) => make.set(local(part), value(at))),
      ]);
    };
    const look = make.try(
      'mvvm.look',
      [this.#module.makeStandIn(throwRef, [exception()]), make.unreachable()],
      tags.map(({ name }) => name),
      [...tags.map(keep), make.block(null, this.#makeHold(exception, local))],
    );
    const values = parts.map((part, index) => make.get(local(index), typeOfSlot[part]));
    const body = [make.if(make.eqz(make.isNull(exception())), [look]), make.return(make.tuple(values))];
    const locals = [...parts.map((part) => typeOfSlot[part]), ...payloads];
    this.#module.addFunction(takeFunction, exnref, this.type, locals, make.functionBody(body));
  }

  /**
   *     selector = -1 - count
   *     if (count >= size of the table) grow it
   *     table[count++] = exception
   *     foreign = what the host gives
   */
  #makeHold(exception: () => Expr, local: (part: number) => number): Expr[] {
    const { make } = this.#module;
    const count = (): Expr => make.globalGet(exceptionCount);
    const grow = make.tableGrow(exceptionTable, make.zero(exnref), make.const(1));
    return [
      make.set(local(selector), make.sub(make.const(-1), count())),
      make.if(make.eqz(make.lessUnsigned(count(), make.tableSize(exceptionTable))), [make.drop(grow)]),
      make.tableSet(exceptionTable, count(), exception()),
      make.globalSet(exceptionCount, make.add(count(), make.const(1))),
      make.set(local(foreign), make.call(foreignFunction, [], externref)),
    ];
  }

  #addMake(): void {
    const { make } = this.#module;
    const { parts, tags } = this.#layout;
    const which = (): Expr => make.get(selector, i32);
    const held = parts.length;
    const takeBack = [
      make.globalSet(exceptionCount, make.sub(make.globalGet(exceptionCount), make.const(1))),
      make.set(held, make.tableGet(exceptionTable, make.sub(make.const(-1), which()), exnref)),
      make.tableSet(exceptionTable, make.sub(make.const(-1), which()), make.zero(exnref)),
      make.return(make.get(held, exnref)),
    ];
    const body = [
      make.if(make.eqz(which()), [make.return(make.zero(exnref))]),
      make.if(make.lessSigned(which(), make.const(0)), takeBack),
      ...tags.map(({ name, places }, index) => {
        const values = places.map((part) => make.get(part, typeOfSlot[parts[part] ?? 'i32']));
        const again = make.try(
          'mvvm.again',
          [make.throw(name, values)],
          [],
          [make.return(this.#module.makeStandIn(caught, []))],
        );
        return make.if(make.eqz(make.sub(which(), make.const(index + 1))), [again]);
      }),
      make.unreachable(),
    ];
    this.#module.addFunction(makeFunction, this.type, exnref, [exnref], make.functionBody(body));
  }
}

/** @throws {CompileError} `unsupported/slot-type` for tags whose payload cannot be saved */
function findLayout(module: IrModule, known: readonly string[]): Layout {
  const parts: SlotType[] = ['i32', 'externref'];
  const tags = known.map((name): Tag => {
    const payload = payloadOf(module, name);
    const taken = new Set([selector, foreign]);
    const places = typeParts(payload).map((type) => {
      const slot = slotTypeOf.get(type) ?? refuse(unsupportedSlot(`tag ${name}`, typeName(type)));
      const free = parts.findIndex((part, index) => part === slot && !taken.has(index));
      const place = free < 0 ? parts.push(slot) - 1 : free;
      taken.add(place);
      return place;
    });
    return { name, payload, places };
  });
  return { parts, tags };
}
