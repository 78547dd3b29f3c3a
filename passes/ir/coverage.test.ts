import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { withFunction, withModule } from '../../fixtures/passes/wat-module.js';
import { CallGraph } from './call-graph.js';
import { findEntryPolled, findUncoveredLoops, findUncoveredRecursion } from './coverage.js';
import { labelOf } from './expressions.js';

const marks = `
  (import "mvvm" "point.entry" (func $mvvm.point.entry))
  (import "mvvm" "point.loop.counted" (func $mvvm.point.loop.counted))
  (import "mvvm" "point.branch" (func $mvvm.point.branch))`;
const point = '(call $mvvm.point.branch)';
/** At a loop's head: a point that covers nothing but this loop. */
const own = '(call $mvvm.point.loop.counted)';

/** Labels of the uncovered loops of a function body, in which `point` is a stable point and `$c` a condition. */
function uncoveredLoops(body: string): string {
  const wat = `(module ${marks} (tag $e)
    (func $f (param $c i32) ${body})
    (func $polled (call $mvvm.point.entry) (nop))
    (func $silent))`;
  return withFunction(wat, (module, fn) => {
    const loops = findUncoveredLoops(module.body(fn), findEntryPolled(module));
    return loops.map((loop) => labelOf(loop)).join(' ');
  });
}

describe('a loop is covered', () => {
  test.each([
    ['not without any point', '(loop $l (br_if $l (local.get $c)))', 'l'],
    ['by a point at its head', `(loop $l ${point} (br_if $l (local.get $c)))`, ''],
    ['by its own mark', `(loop $l ${own} (br_if $l (local.get $c)))`, ''],
    ['by a point in its middle', `(loop $l (nop) ${point} (br_if $l (local.get $c)))`, ''],
    ['not by a point behind the branch back', `(loop $l (br_if $l (local.get $c)) ${point})`, 'l'],
    ['not by a point before the loop', `${point} (loop $l (br_if $l (local.get $c)))`, 'l'],
    ['by a call to a function that polls at its entry', '(loop $l (call $polled) (br_if $l (local.get $c)))', ''],
    ['not by a call to another function', '(loop $l (call $silent) (br_if $l (local.get $c)))', 'l'],
    ['if nothing branches back', '(loop $l (nop))', ''],
    ['if the branch back is never reached', '(loop $l (return) (br $l))', ''],
    [
      'by a point in the operand of the branch',
      `(loop $l (br_if $l (block (result i32) ${point} (local.get $c))))`,
      '',
    ],
  ])('%s', (_case, body, labels) => {
    expect(uncoveredLoops(body)).toBe(labels);
  });
});

describe('ways around a point', () => {
  test.each([
    ['a point in one arm only does not cover', `(loop $l (if (local.get $c) (then ${point})) (br $l))`, 'l'],
    ['a point in each arm covers', `(loop $l (if (local.get $c) (then ${point}) (else ${point})) (br $l))`, ''],
    [
      'a point in one arm covers if the other does not come back',
      `(loop $l (if (local.get $c) (then ${point}) (else (return))) (br $l))`,
      '',
    ],
    [
      'a point in the condition covers both arms',
      `(loop $l (if (block (result i32) ${point} (local.get $c)) (then (br $l)) (else (br $l))))`,
      '',
    ],
    ['a branch past the point uncovers', `(loop $l (block $b (br_if $b (local.get $c)) ${point}) (br $l))`, 'l'],
    [
      'a branch from behind the point does not',
      `(loop $l (block $b ${point} (br_if $b (local.get $c)) (nop)) (br $l))`,
      '',
    ],
    [
      'a br_table past the point uncovers',
      `(loop $l (block $b (block $a (br_table $a $b (local.get $c))) ${point}) (br $l))`,
      'l',
    ],
    [
      'a br_table back to the loop itself uncovers',
      `(loop $l (block $a (br_table $a $l (local.get $c))) ${point} (br $l))`,
      'l',
    ],
    [
      'a catch is reached from before the points of its try',
      `(loop $l (try (do (call $silent) ${point}) (catch $e)) (br $l))`,
      'l',
    ],
  ])('%s', (_case, body, labels) => {
    expect(uncoveredLoops(body)).toBe(labels);
  });
});

describe('loops in loops', () => {
  test.each([
    ['a point in the inner loop covers both', `(loop $o (loop $i ${point} (br_if $i (local.get $c))) (br $o))`, ''],
    [
      'the own mark of the inner loop covers that alone, for it may poll where iterations end that others follow',
      `(loop $o (loop $i ${own} (br_if $i (local.get $c))) (br $o))`,
      'o',
    ],
    ['so does that of the outer loop', `(loop $o ${own} (loop $i (br_if $i (local.get $c))) (br $o))`, 'i'],
    [
      'a point of the outer loop does not cover the inner one',
      `(loop $o ${point} (loop $i (br_if $i (local.get $c))) (br $o))`,
      'i',
    ],
    [
      'an inner loop that is left before its point does not cover the outer one',
      `(loop $o (block $b (loop $i (br_if $b (local.get $c)) ${point} (br $i))) (br $o))`,
      'o',
    ],
    [
      'an inner loop that is left behind its point covers the outer one',
      `(loop $o (block $b (loop $i ${point} (br_if $b (local.get $c)) (br $i))) (br $o))`,
      '',
    ],
    [
      'an inner loop that goes on with the outer one before its point does not cover it',
      `(loop $o (loop $i (br_if $o (local.get $c)) ${point} (br $i)))`,
      'o',
    ],
    [
      'a point between the heads of two loops covers the outer one alone',
      `(loop $o (nop) ${point} (loop $i (br_if $i (local.get $c)) (br_if $o (local.get $c))))`,
      'i',
    ],
    [
      'a point behind an inner loop covers the outer one',
      `(loop $o (loop $i (br_if $i (local.get $c))) ${point} (br $o))`,
      'i',
    ],
    [
      'a loop that follows another is looked at by itself',
      `(loop $a ${point} (br_if $a (local.get $c))) (loop $b (br_if $b (local.get $c)))`,
      'b',
    ],
    [
      'three deep, each in turn',
      `(loop $x (loop $y (loop $z (br_if $z (local.get $c))) ${point} (br_if $y (local.get $c))) (br $x))`,
      'z',
    ],
  ])('%s', (_case, body, labels) => {
    expect(uncoveredLoops(body)).toBe(labels);
  });
});

// --- The same by another way: a graph of single steps, searched for each loop ---

type Code =
  | { readonly kind: 'point' | 'leave' }
  | { readonly kind: 'branch'; readonly depth: number; readonly always: boolean }
  | { readonly kind: 'block' | 'loop' | 'marked loop'; readonly body: readonly Code[] }
  | { readonly kind: 'if'; readonly yes: readonly Code[]; readonly no: readonly Code[] };

const { code } = fc.letrec<{ code: Code; list: Code[] }>((tie) => ({
  list: fc.array(tie('code'), { minLength: 1, maxLength: 4 }),
  code: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('point' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const) }) },
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('branch' as const),
        depth: fc.nat(2),
        always: fc.nat(5).map((n) => n === 0),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('block' as const), body: tie('list') }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('loop' as const), body: tie('list') }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('marked loop' as const), body: tie('list') }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('if' as const), yes: tie('list'), no: tie('list') }) },
  ),
}));

/** A step of a program: where control can go from here; `back` is the loop whose branch back this is. */
interface Step {
  readonly next: Step[];
  isPoint: boolean;
  back?: string;
}

/** Wat of a body, and the steps of its loops by label. */
class Drawing {
  readonly heads = new Map<string, Step>();
  #labels = 0;

  /** @param targets of branches, innermost first */
  draw(list: readonly Code[], from: Step, targets: readonly Target[]): { wat: string; end: Step } {
    let end = from;
    const wat = list.map((each) => {
      const drawn = this.#drawOne(each, end, targets);
      end = drawn.end;
      return drawn.wat;
    });
    return { wat: wat.join(' '), end };
  }

  #drawOne(each: Code, from: Step, targets: readonly Target[]): { wat: string; end: Step } {
    const end = newStep();
    switch (each.kind) {
      case 'point':
        end.isPoint = true;
        from.next.push(end);
        return { wat: point, end };
      case 'leave':
        return { wat: '(return)', end };
      case 'branch': {
        const target = targets[each.depth % Math.max(1, targets.length)];
        if (target === undefined) return { wat: '(nop)', end: from };
        const jump = newStep();
        from.next.push(jump);
        if (target.isLoop) jump.back = target.label;
        jump.next.push(target.step);
        if (!each.always) from.next.push(end);
        return { wat: each.always ? `(br $${target.label})` : `(br_if $${target.label} (local.get $c))`, end };
      }
      case 'block':
      case 'loop':
      case 'marked loop': {
        const isLoop = each.kind !== 'block';
        const label = `l${this.#labels++}`;
        const head = newStep();
        from.next.push(head);
        if (each.kind === 'loop') this.heads.set(label, head);
        const inside = this.draw(each.body, head, [{ label, isLoop, step: isLoop ? head : end }, ...targets]);
        inside.end.next.push(end);
        const mark = each.kind === 'marked loop' ? own : '';
        return { wat: `(${isLoop ? 'loop' : 'block'} $${label} ${mark} ${inside.wat})`, end };
      }
      case 'if': {
        const [yes, no] = [newStep(), newStep()];
        from.next.push(yes, no);
        const then = this.draw(each.yes, yes, targets);
        const otherwise = this.draw(each.no, no, targets);
        then.end.next.push(end);
        otherwise.end.next.push(end);
        return { wat: `(if (local.get $c) (then ${then.wat}) (else ${otherwise.wat}))`, end };
      }
    }
  }
}

interface Target {
  readonly label: string;
  readonly isLoop: boolean;
  readonly step: Step;
}

const newStep = (): Step => ({ next: [], isPoint: false });

function reachableFrom(start: Step, stopAtPoints: boolean): Set<Step> {
  const seen = new Set([start]);
  for (const step of seen) {
    if (stopAtPoints && step.isPoint) continue;
    for (const next of step.next) seen.add(next);
  }
  return seen;
}

test('random code: a loop without a mark is uncovered exactly if there is a way back to its head without a point', () => {
  let uncovered = 0;
  fc.assert(
    fc.property(fc.array(code, { minLength: 2, maxLength: 5 }), (body) => {
      const drawing = new Drawing();
      const start = newStep();
      const { wat } = drawing.draw(body, start, []);
      const reached = reachableFrom(start, false);
      const expected = [...drawing.heads].filter(
        ([label, head]) => reached.has(head) && [...reachableFrom(head, true)].some(({ back }) => back === label),
      );
      uncovered += expected.length;
      expect(uncoveredLoops(wat).split(' ').filter(Boolean).sort()).toEqual(expected.map(([label]) => label).sort());
    }),
    { numRuns: 800, seed: 1 },
  );
  // The sample would prove nothing if most of it were trivial.
  expect(uncovered).toBeGreaterThan(300);
});

// --- Recursion ---

function uncoveredRecursion(functions: string): string[] {
  return withModule(`(module ${marks} (type $t (func)) (table 1 funcref) ${functions})`, (module) => {
    const found = findUncoveredRecursion(new CallGraph(module), findEntryPolled(module));
    return found.map(({ cycle, cut }) => `${cycle.join(' > ')}, cut at ${cut}`);
  });
}

const entry = '(call $mvvm.point.entry)';

describe('recursion', () => {
  test.each([
    ['of a function that calls itself', '(func $f (call $f))', ['f > f, cut at f']],
    ['with a point at the entry', `(func $f ${entry} (call $f))`, []],
    ['with a point behind the call', `(func $f (call $f) ${entry})`, ['f > f, cut at f']],
    ['none', '(func $f (call $g)) (func $g)', []],
    ['of three functions', '(func $a (call $b)) (func $b (call $c)) (func $c (call $a))', ['a > b > c > a, cut at a']],
    [
      'of three functions, one of which polls',
      `(func $a (call $b)) (func $b ${entry} (call $c)) (func $c (call $a))`,
      [],
    ],
    [
      'two of them, in one function',
      '(func $a (call $b) (call $c)) (func $b (call $a)) (func $c (call $a))',
      ['a > b > a, cut at a'],
    ],
    [
      'a small one inside a larger one that polls elsewhere',
      `(func $a ${entry} (call $b)) (func $b (call $c)) (func $c (call $b) (call $a))`,
      ['b > c > b, cut at b'],
    ],
    [
      'by an indirect call',
      '(elem (i32.const 0) $f) (func $f (type $t) (call_indirect (type $t) (i32.const 0)))',
      ['f > f, cut at f'],
    ],
    [
      'by an indirect call that leads to a function which polls',
      `(elem (i32.const 0) $f) (func $f (type $t) ${entry} (call_indirect (type $t) (i32.const 0)))`,
      [],
    ],
    [
      'not by an indirect call of another type',
      '(type $u (func (param i32))) (elem (i32.const 0) $f) (func $f (type $t) (call_indirect (type $u) (i32.const 1) (i32.const 0)))',
      [],
    ],
    [
      'not by an indirect call to a function that no reference exists of',
      '(func $f (type $t) (call_indirect (type $t) (i32.const 0)))',
      [],
    ],
  ])('%s', (_case, functions, found) => {
    expect(uncoveredRecursion(functions)).toEqual(found);
  });

  test('of a chain of calls deeper than the stack of the host is found', () => {
    const depth = 12_000;
    const chain = Array.from({ length: depth }, (_, n) => `(func $f${n} (call $f${(n + 1) % depth}))`);
    expect(uncoveredRecursion(chain.join('\n'))).toHaveLength(1);
  });
});
