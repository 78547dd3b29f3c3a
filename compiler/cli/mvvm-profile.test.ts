/** Profiles the whole way: compile, run with a profile, compile with the profile. */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { assemble } from '../../fixtures/passes/wat-module.js';
import { type Ended, runCommand } from '../../fixtures/processes.js';
import { readProfile } from '../profile.js';

const folder = await mkdtemp(join(tmpdir(), 'mvvm-profile-'));
afterAll(() => rm(folder, { recursive: true }));

const OUTER = 20;
const INNER = 50;

/** Counts in two nested loops, and takes the inner one's branch in every second iteration. The outer one has quiet branches. */
const nested = `(module
  (global $odd (mut i32) (i32.const 0))
  (global $ticks (export "ticks") (mut i32) (i32.const 0))
  (func $tick (global.set $ticks (i32.add (global.get $ticks) (i32.const 1))))
  (func (export "count") (param $outer i32) (param $inner i32) (result i32)
    (local $left i32)
    (loop $rows
      ${'(block $quiet (br_if $quiet (i32.eqz (local.get $inner))) (call $tick))'.repeat(4)}
      (local.set $left (local.get $inner))
      (loop $columns
        (block $even
          (br_if $even (i32.and (local.get $left) (i32.const 1)))
          (global.set $odd (i32.add (global.get $odd) (local.get $outer))))
        (br_if $columns (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (br_if $rows (local.tee $outer (i32.sub (local.get $outer) (i32.const 1)))))
    (global.get $odd)))`;

async function call(name: 'mvvm' | 'mvvmc', ...words: string[]): Promise<Ended> {
  const ended = await runCommand(name, folder, words);
  if (ended.status !== 0) throw new Error(ended.stderr);
  return ended;
}

test('a profile that mvvm run writes makes mvvmc leave out points, and the program does the same', async () => {
  await writeFile(join(folder, 'n.wasm'), assemble(nested));
  const policies = ['--enable-loop-checkpoint', '--enable-br-checkpoint', '--opt-level=0'];
  const compile = async (output: string, ...more: string[]): Promise<number> => {
    const { stderr } = await call('mvvmc', ...policies, ...more, '--report=json', '-o', output, 'n.wasm');
    return JSON.parse(stderr).points.total;
  };
  const count = (module: string, ...more: string[]): Promise<Ended> =>
    call('mvvm', 'run', '--stats', ...more, '--entry', 'count', module, '--', String(OUTER), String(INNER));
  const passedIn = ({ stderr }: Ended): number =>
    JSON.parse(stderr.split('\n').find((line) => line.startsWith('{')) ?? '').stablePoints;

  const points = await compile('n.mvvm.wasm');
  const profiled = await count('n.mvvm.wasm', '--profile', 'n.json');
  expect(profiled.stderr).toContain(`profile: n.json (`);
  expect(profiled.stderr).toContain('mvvmc --enable-checkpoint-pgo=n.json uses it');

  const profile = readProfile(await readFile(join(folder, 'n.json'), 'utf8'), 'n.json');
  expect(profile.points).toHaveLength(points);
  expect(profile.points.reduce((sum, point) => sum + point.count, 0)).toBe(passedIn(profiled));
  const loops = profile.points.filter(({ kind }) => kind === 'loop').map((point) => point.count);
  expect(loops.sort((a, b) => a - b)).toEqual([OUTER, OUTER * INNER]);

  const fewer = await compile('n.pgo.wasm', '--enable-checkpoint-pgo=n.json');
  expect(fewer).toBeLessThan(points);
  const after = await count('n.pgo.wasm');
  expect(after.stdout).toBe(profiled.stdout);
  expect(after.stdout).toBe(`${(INNER / 2) * ((OUTER * (OUTER + 1)) / 2)}\n`);
  expect(passedIn(after)).toBeLessThan(passedIn(profiled) / 2);
}, 120_000);

test('a checkpoint ends the profile, which tells the part that was run', async () => {
  await writeFile(join(folder, 'c.wasm'), assemble(nested));
  await call('mvvmc', '--enable-loop-checkpoint', '-o', 'c.mvvm.wasm', 'c.wasm');
  const words = ['--profile', 'c.json', '--entry', 'count', '-a', `${OUTER},${INNER}`, '-c', '15'];
  await call('mvvm', 'checkpoint', '-t', 'c.mvvm.wasm', ...words);
  const { points } = readProfile(await readFile(join(folder, 'c.json'), 'utf8'), 'c.json');
  expect(points.reduce((sum, point) => sum + point.count, 0)).toBe(15);
}, 60_000);
