/** Dead slots: what the program has done with leaves no trace in a snapshot. */

import { describe, expect, test } from '@jest/globals';
import { compile } from '../../compiler/index.js';
import { expectSnapshot } from '../../fixtures/hand-instrumented/host.js';
import { assemble } from '../../fixtures/passes/wat-module.js';
import { readSubjects } from '../../fixtures/roundtrip/subjects.js';
import { sampleFrames, sampleMap, streamOf } from '../../fixtures/snapshots/samples.js';
import type { Policy } from '../abi/index.js';
import { type Guest, loadProgram, type Program, restoreGuest, type Snapshot, startGuest } from '../index.js';
import { Frames } from './frames.js';

describe('the words of a stopped guest', () => {
  const [main = [], work = [], inner = []] = sampleFrames;
  const codeOf = (words: Uint32Array): unknown => {
    try {
      return new Frames(sampleMap).clearDead(words);
    } catch (error) {
      return error instanceof Error && 'code' in error ? error.code : error;
    }
  };

  test('keep what is live and lose what is dead, whatever its width', () => {
    const words = streamOf([main, [4, 17, 1, 2, 3, 4, 5, 6], [5, 1, 2, 3, 4, 5, 6, 7]]);
    expect(new Frames(sampleMap).clearDead(words)).toBe(5);
    expect(words).toEqual(streamOf([main, [4, 17, 0, 0, 0, 0, 0, 0], [5, 0, 2, 3, 0, 0, 0, 0]]));
  });

  test('are left alone where everything is live', () => {
    const words = streamOf([main, inner]);
    expect(new Frames(sampleMap).clearDead(words)).toBe(3);
    expect(words).toEqual(streamOf([main, inner]));
  });

  test('are refused where they are not frames', () => {
    for (const list of [[], [work.slice(1)], [main, inner.slice(0, -1)], [main, [...inner, 99]], [[7]]]) {
      expect(codeOf(streamOf(list))).toBe('bad-state');
    }
    expect(codeOf(new Uint32Array())).toBe('bad-state');
  });
});

async function compileProgram(wasm: Uint8Array, policies: readonly Policy[]): Promise<Program> {
  return loadProgram(compile(wasm, { policies, optLevel: 1, thresholdBits: 0 }).wasm);
}

test('a secret is in a snapshot as long as the program needs it, and no longer', async () => {
  const SECRET = 0x5ec2e75;
  const wasm = assemble(`(module
    (global $log (mut i32) (i32.const 0))
    (func $spin (param $n i32)
      (loop $again
        (global.set $log (i32.add (global.get $log) (local.get $n)))
        (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
    (func (export "run") (param $secret i32) (result i32)
      (call $spin (i32.const 5))
      (if (i32.eq (local.get $secret) (i32.const 7)) (then (return (i32.const 0))))
      (call $spin (i32.const 5))
      (global.get $log)))`);
  const program = await compileProgram(wasm, ['function-checkpoint', 'loop-checkpoint']);
  const begin = (): Guest => startGuest(program, { entry: 'run', entryArguments: [SECRET] });
  const known: boolean[] = [];
  for (let atPoint = 1; ; atPoint++) {
    const outcome = begin().run({ atPoint });
    if (outcome.kind !== 'checkpointed') break;
    known.push(expectSnapshot(outcome).words.includes(SECRET));
  }
  const forgotten = known.indexOf(false);
  expect(forgotten).toBeGreaterThan(0);
  expect(known.length).toBeGreaterThan(forgotten + 3);
  expect(known.slice(forgotten)).not.toContain(true);
});

describe('the same state gives the same snapshot, whatever its history', () => {
  const LINKS = 12;
  const subjects = readSubjects().filter(({ name }) =>
    /^(liveness|many-locals|quicksort|loop-shapes|globals)\//.test(name),
  );
  const policies: readonly Policy[] = ['function-checkpoint', 'loop-checkpoint', 'counter-loop-checkpoint'];
  const cases = subjects
    .filter(({ size }) => size === 'small')
    .flatMap((subject) => policies.map((policy) => ({ subject, policy, name: subject.name })));

  test.each(cases)('$name, $policy', async ({ subject, policy }) => {
    const program = await compileProgram(subject.wasm, [policy]);
    const begin = (): Guest => {
      const { entry, entryArguments } = subject;
      return startGuest(program, { ...subject.makeWorld().connect('fresh'), entry, entryArguments });
    };
    const whole = begin();
    whole.run();
    const distance = Math.max(1, Math.floor(whole.statistics.stablePoints / LINKS));

    const world = subject.makeWorld();
    const { entry, entryArguments } = subject;
    let guest = startGuest(program, { ...world.connect('fresh'), entry, entryArguments });
    let links = 0;
    for (let outcome = guest.run({ atPoint: distance }); outcome.kind === 'checkpointed'; links++) {
      const chained = expectSnapshot(outcome);
      const direct = expectSnapshot(begin().run({ atPoint: chained.stablePoints }));
      expect(stateOf(chained)).toEqual(stateOf(direct));
      guest.close();
      guest = restoreGuest(program, chained, world.connect('restored'));
      outcome = guest.run({ atPoint: distance });
    }
    expect(links).toBeGreaterThan(0);
  });

  const stateOf = ({ entry, point, words, tables, memories }: Snapshot): unknown => ({
    entry,
    point,
    words,
    tables,
    memories: memories.map(({ bytes }) => Buffer.from(bytes).toString('base64')),
  });
});
