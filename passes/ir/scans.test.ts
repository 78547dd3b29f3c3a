import { describe, expect, test } from '@jest/globals';
import { findExpression, withFunction } from '../../fixtures/passes/wat-module.js';
import { kindOf } from './expressions.js';
import { findScans, type Measure } from './scans.js';

/**
 * What is found of the loop `$L`: its cursors with their directions and the least step, such as `+p 1`; undefined if no scan.
 * Behind a bar, other locals that tell how often it has iterated.
 */
function scanOf(loop: string): string | undefined {
  const names = ['p', 'q', 'n', 'x'];
  const describeMeasure = ({ cursors, leastStep }: Measure): string => {
    const moves = cursors.map(({ local, direction }) => `${direction > 0 ? '+' : '-'}${names[local]}`);
    return `${moves.join(' ')} ${leastStep}`;
  };
  const wat = `(module (import "x" "f" (func $f)) (memory 1) (global $g (mut i32) (i32.const 0))
    (func $run (param $p i32) (param $q i32) (param $n i32) (param $x i32) (result i32) ${loop} (local.get $p)))`;
  return withFunction(wat, (module, fn) => {
    const scans = findScans(module.body(fn));
    const scan = scans.get(findExpression(module.body(fn), (expr) => kindOf(expr) === 'Loop') ?? module.body(fn));
    return scan?.measures.map(describeMeasure).join(' | ');
  });
}

const get = (name: string): string => `(local.get $${name})`;
const moved = (name: string, by: number): string => `(i32.add ${get(name)} (i32.const ${by}))`;
const move = (name: string, by = 1): string => `(local.set $${name} ${moved(name, by)})`;
const byteAt = (address: string): string => `(i32.load8_u ${address})`;
const goOnIf = (condition: string): string => `(br_if $L ${condition})`;

describe('scans are loops', () => {
  test.each([
    ['to the end of a text', `(loop $L ${goOnIf(byteAt(`(local.tee $p ${moved('p', 1)})`))})`, '+p 1'],
    ['from the end of a text', `(loop $L ${goOnIf(byteAt(`(local.tee $p ${moved('p', -1)})`))})`, '-p 1'],
    [
      'that take from a local',
      `(loop $L (local.set $p (i32.sub ${get('p')} (i32.const 4))) ${goOnIf(byteAt(get('p')))})`,
      '-p 4',
    ],
    ['that write', `(loop $L (i32.store ${get('p')} ${get('x')}) ${move('p', 12)} ${goOnIf(get('x'))})`, '+p 12'],
    [
      'over elements by their number',
      `(loop $L ${move('n')} ${goOnIf(`(i32.load (i32.add ${get('p')} (i32.shl ${get('n')} (i32.const 2))))`)})`,
      '+n 1',
    ],
    [
      'over elements of a size that is no power of two',
      `(loop $L ${move('n')} ${goOnIf(`(i32.load offset=8 (i32.mul ${get('n')} (i32.const 12)))`)})`,
      '+n 1',
    ],
    [
      'that read where they are, and go on from there by way of another local',
      `(loop $L (local.set $q ${moved('p', 1)}) (local.set $x ${byteAt(get('p'))}) (local.set $p ${get('q')}) ${goOnIf(get('x'))})`,
      '+p 1',
    ],
    [
      'that take one or two steps',
      `(loop $L (local.set $p (i32.add ${get('p')} (select (i32.const 2) (i32.const 1) ${byteAt(get('p'))}))) ${goOnIf(get('x'))})`,
      '+p 1',
    ],
    [
      'that merge lists: one of two goes on',
      `(loop $L
         (if (i32.lt_u ${byteAt(get('p'))} ${byteAt(get('q'))}) (then ${move('p')}) (else ${move('q')}))
         ${goOnIf(get('x'))})`,
      '+p +q 1',
    ],
    [
      'with a few ways out',
      `(block $out (loop $L
         (br_if $out (i32.eqz (local.tee $x ${byteAt(get('p'))})))
         ${move('p')}
         (if (i32.eq ${get('x')} (i32.const 7)) (then (return (i32.const 1))))
         (br $L)))`,
      '+p 1',
    ],
    [
      'that a table leads out of',
      `(block $out (loop $L (block $on (br_table $out $on $out ${byteAt(get('p'))})) ${move('p')} (br $L)))`,
      '+p 1',
    ],
  ])('%s', (_, loop, expected) => {
    expect(scanOf(loop)).toBe(expected);
  });
});

describe('how often it has iterated is also told by', () => {
  const scanning = (more: string): string => `(loop $L ${more} ${goOnIf(byteAt(`(local.tee $p ${moved('p', 4)})`))})`;
  test.each([
    ['a number that goes along', move('n'), '+p 4 | +n 1'],
    ['one that goes down', move('n', -1), '+p 4 | -n 1'],
    ['one that goes by twice as much at times', `${move('n')} (if ${get('x')} (then ${move('n')}))`, '+p 4 | +n 1'],
    ['not one that goes by much more at times', `${move('n')} (if ${get('x')} (then ${move('n', 2)}))`, '+p 4'],
    ['several', `${move('n', 2)} ${move('q', 4)}`, '+p 4 | +n 2 | +q 4'],
    ['not one that is faster, and may come round', move('n', 5), '+p 4'],
    ['not one that is faster at times', `${move('n')} (if ${get('x')} (then ${move('n', 4)}))`, '+p 4'],
    ['not one that stays at times', `(if ${get('x')} (then ${move('n')}))`, '+p 4'],
    ['not one that is set', `${move('n')} (if ${get('x')} (then (local.set $n (i32.const 0))))`, '+p 4'],
  ])('%s', (_, more, expected) => {
    expect(scanOf(scanning(more))).toBe(expected);
  });

  test('a number that goes along with a merge', () => {
    const which = `(if (i32.lt_u ${byteAt(get('p'))} ${byteAt(get('q'))}) (then ${move('p')}) (else ${move('q')}))`;
    expect(scanOf(`(loop $L ${which} ${move('n')} ${goOnIf(get('x'))})`)).toBe('+p +q +n 1 | +n 1');
  });
});

describe('no scans are loops', () => {
  test.each([
    ['that are never repeated', `(loop $L (return (i32.const 0)) ${move('p')} ${goOnIf(byteAt(get('p')))})`],
    ['that follow pointers', `(loop $L ${goOnIf(`(local.tee $p (i32.load ${get('p')}))`)})`],
    ['that move and do not access', `(loop $L ${move('p')} ${goOnIf(byteAt(get('q')))})`],
    ['that access and do not move', `(loop $L ${goOnIf(byteAt(get('p')))})`],
    ['that move at times', `(loop $L (if ${byteAt(get('p'))} (then ${move('p')})) ${goOnIf(get('x'))})`],
    [
      'that access at times',
      `(loop $L (if ${get('x')} (then (local.set $x ${byteAt(get('p'))}))) ${move('p')} ${goOnIf(get('n'))})`,
    ],
    [
      'with two accesses of which one is made, for each could miss where the other leaves memory',
      `(loop $L
         (if ${get('n')} (then (local.set $x ${byteAt(get('p'))})) (else (local.set $x ${byteAt(`(i32.add ${get('p')} ${get('q')})`)})))
         ${move('p')} ${goOnIf(get('x'))})`,
    ],
    [
      'that go to and fro',
      `(loop $L (if ${byteAt(get('p'))} (then ${move('p')}) (else ${move('p', -1)})) ${goOnIf(get('x'))})`,
    ],
    [
      'whose one cursor goes on where the other comes back',
      `(loop $L
         (if (i32.lt_u ${byteAt(get('p'))} ${byteAt(get('q'))}) (then ${move('p')}) (else ${move('q')}))
         ${move('p', -1)} ${goOnIf(get('x'))})`,
    ],
    [
      'that come round',
      `(loop $L (local.set $p (i32.and ${moved('p', 1)} (i32.const 255))) ${goOnIf(byteAt(get('p')))})`,
    ],
    [
      'that begin again',
      `(loop $L (if ${byteAt(get('p'))} (then (local.set $p ${get('q')}))) ${move('p')} ${goOnIf(get('x'))})`,
    ],
    [
      'whose address has something that changes',
      `(loop $L (local.set $q ${byteAt(`(i32.add ${get('p')} ${get('q')})`)}) ${move('p')} ${goOnIf(get('q'))})`,
    ],
    ['whose step could jump over a page', `(loop $L ${move('p', 1000)} ${goOnIf(byteAt(get('p')))})`],
    [
      'whose address could jump over a page',
      `(loop $L ${move('n')} ${goOnIf(byteAt(`(i32.shl ${get('n')} (i32.const 8))`))})`,
    ],
    [
      'whose address is many steps from where the cursor is',
      `(loop $L ${move('n')} ${goOnIf(byteAt(`(i32.shl (i32.add ${moved('n', 200)} (i32.const 200)) (i32.const 6))`))})`,
    ],
    [
      'with another way to their head',
      `(loop $L ${goOnIf(byteAt(get('q')))} ${move('p')} ${goOnIf(byteAt(get('p')))})`,
    ],
    ['that call', `(loop $L (call $f) ${move('p')} ${goOnIf(byteAt(get('p')))})`],
    [
      'with loops inside',
      `(loop $L (loop $M (br_if $M ${byteAt(get('q'))})) ${move('p')} ${goOnIf(byteAt(get('p')))})`,
    ],
    [
      'that copy memory',
      `(loop $L (memory.copy ${get('p')} ${get('q')} ${get('n')}) ${move('p')} ${goOnIf(byteAt(get('p')))})`,
    ],
    [
      'whose cursor is something else where they end',
      `(block $out (loop $L (if ${byteAt(get('p'))} (then (local.set $p (i32.const 7)) (br $out))) ${move('p')} (br $L)))`,
    ],
  ])('%s', (_, loop) => {
    expect(scanOf(loop)).toBeUndefined();
  });
});
