import { describe, expect, test } from '@jest/globals';
import { ByteWriter } from '../runtime/abi/index.js';
import { compileInThread, isOutOfStack } from './compile-in-thread.js';

/** A function of so many blocks in each other, with a loop in the innermost. */
function nested(depth: number): Uint8Array {
  const body = new ByteWriter().u8(0);
  for (let n = 0; n < depth; n++) body.u8(0x02).u8(0x40);
  body.bytes(Uint8Array.of(0x03, 0x40, 0x41, 0, 0x0d, 0, 0x0b));
  for (let n = 0; n <= depth; n++) body.u8(0x0b);
  const code = body.finish();
  const out = new ByteWriter().bytes(Uint8Array.of(0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const section = (id: number, write: (content: ByteWriter) => void): void => {
    const content = new ByteWriter();
    write(content);
    const bytes = content.finish();
    out.u8(id).u32(bytes.length).bytes(bytes);
  };
  section(1, (content) => content.bytes(Uint8Array.of(1, 0x60, 0, 0)));
  section(3, (content) => content.bytes(Uint8Array.of(1, 0)));
  section(7, (content) => content.u32(1).text('run').u8(0).u32(0));
  section(10, (content) => content.u32(1).u32(code.length).bytes(code));
  return out.finish();
}

describe('compiling in a thread', () => {
  test('gives what compiling gives, where functions are nested deeply', async () => {
    const dumped: string[] = [];
    const options = { policies: ['loop-checkpoint'], optLevel: 0 } as const;
    const { wasm, map } = await compileInThread(nested(4000), options, ['prepare'], (pass) => dumped.push(pass));
    expect(WebAssembly.validate(Uint8Array.from(wasm))).toBe(true);
    expect(map.functions.flatMap(({ points }) => points.map(({ kind }) => kind))).toEqual(['entry', 'loop']);
    expect(dumped).toEqual(['prepare']);
  });

  test('refuses what compiling refuses', async () => {
    const refused = compileInThread(new Uint8Array(3));
    await expect(refused).rejects.toMatchObject({ name: 'CompileError' });
  });

  test('is for stacks that are used up, not for other errors of their kind', () => {
    expect(isOutOfStack(new RangeError('Maximum call stack size exceeded'))).toBe(true);
    expect(isOutOfStack(new RangeError('Invalid array length'))).toBe(false);
  });
});
