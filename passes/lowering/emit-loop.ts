/**
 * Makes code of a loop with stable points. Where it polls depends on what is inside:
 *
 * - no other point, and busy: where an iteration ends that is followed by another. The slow path is behind the loop, where its
 *   call does not disturb how an engine allocates registers, or in the loop where that costs less. A counted loop
 *   (counted-loop.ts) in a nest that counts in a local does not even poll there, but runs in strips that end where the poll
 *   is due, unless it is known to have few iterations
 * - no other point, and idle (busy-code.ts): where an iteration begins, which is less code, and by one call; but for loops that
 *   count up to an end, which go over data
 * - other points: where an iteration begins. Dispatching into the loop needs no test of its own: the poll is made to take
 *   its slow path, which looks whether somebody is on the way to a point inside
 * - a loop without a poll of its own has that look alone, at its head
 */

import type { Expr } from '../ir/binaryen.js';
import { i32, kindOf } from '../ir/expressions.js';
import type { Gate } from '../ir/marks.js';
import type { FunctionInfo } from '../ir/module.js';
import { some } from '../ir/walk.js';
import { type CountedLoop, recogniseCountedLoop } from './counted-loop.js';
import { canTick, makeCountdown, makeFire, makeFireAgain, makeTick, type PollContext } from './emit-poll.js';
import { assignedIn, endsOpen, type LoopItem, type Point, pointsIn, pollsAtHead, statementsOf } from './linear-code.js';
import { makeShortRun, type ShortRun, type ShortRunContext } from './short-run.js';

/** What the emitter of a function lends. */
export interface LoopContext extends PollContext, ShortRunContext {
  readonly info: FunctionInfo;
  /** Sets stale locals to zero. */
  makeClear(locals: readonly number[]): Expr[];
  /** The way to points inside, from the loop's head; empty where no frames come back. */
  makeWayIn(loop: LoopItem): Expr[];
}

export function emitLoop(loop: LoopItem, context: LoopContext): Expr[] {
  const { gate, point } = loop;
  if (gate === undefined || point === undefined) return emitUnpolledLoop(loop, context);
  return pollsAtHead(loop) ? emitOuterLoop(loop, gate, point, context) : emitInnerLoop(loop, gate, point, context);
}

// --- Without other points inside ---

function emitInnerLoop(loop: LoopItem, gate: Gate, point: Point, context: LoopContext): Expr[] {
  const counter = context.nest?.local(gate);
  const counted =
    counter === undefined || loop.hasFewIterations ? undefined : recogniseCountedLoop(context.module, loop);
  if (counter === undefined || counted === undefined) return emitPolledLoop(loop, gate, point, context);
  return [emitCountedLoop(loop, gate, point, counter, counted, context)];
}

/**
 * Polls where an iteration ends that is followed by another: a loop that is run through once pays nothing. The slow path is
 * behind the loop, or in it:
 *
 *     (block $exit                                               (block $exit
 *       (loop $again                                               (loop $head
 *         (loop $head                                                (block $name <body> (br $exit))
 *           (block $name <body> (br $exit))                          (br_if $head <countdown>)
 *           (br_if $head <countdown>))                               <fire>
 *         <fire>                                                     (br $head)))
 *         (br $again)))
 *
 * Branches to the loop's head go to the end of `$name`.
 */
function emitPolledLoop(loop: LoopItem, gate: Gate, point: Point, context: LoopContext): Expr[] {
  const { make } = context.module;
  const [exit, head] = [context.newLabel('exit'), context.newLabel('head')];
  const isOpen = endsOpen(loop.body);
  const isInside = asksInside(loop, context);
  const body = make.block(loop.name, [...context.emitRegion(loop.body, []), ...(isOpen ? [make.br(exit)] : [])]);
  const clear = context.makeClear(loop.staleAtEnd);
  const { before, left } = makeCountdown(gate, context);
  const run = [body, ...clear, ...before, make.brIf(head, left)];
  const again = isInside ? head : context.newLabel('again');
  const fire = makeFireAgain(point, gate, again, context);
  const code = isInside ? make.loop(head, [...run, ...fire]) : make.loop(again, [make.loop(head, run), ...fire]);
  return isOpen ? [make.block(exit, [code])] : [code];
}

/** Values that a loop may carry from one iteration to the next; with more, the slow path is better behind it. */
const MOST_CARRIED = 4;

/**
 * Whether the slow path is in the loop: then there is no second loop around it, at whose head an engine looks at its stack
 * and brings values together, which is as much as an iteration of a short loop. Engines that heed branch hints keep the call
 * out of the loop's way, but may store what the loop carries in each iteration, for the sake of the call. So the slow path is
 * behind where much is carried; where iterations only compute, and are shorter than such a store takes; and among ways back,
 * where more is alive than the loop itself needs.
 */
function asksInside(loop: LoopItem, { comesBackHere }: LoopContext): boolean {
  if (comesBackHere) return false;
  const carried = [...assignedIn(loop.body)].filter((local) => loop.live.has(local));
  if (carried.length > MOST_CARRIED) return false;
  return statementsOf(loop.body).some((statement) => some(statement, (expr) => kindOf(expr) === 'Load'));
}

/**
 * A counted loop runs in strips, with a poll after each of them:
 *
 *     (block $exit (loop $again <strip> <fire> (br $again)))
 *
 * and, where it has few iterations, in none: see short-run.ts.
 *
 * @param counter the local that counts for the gate
 */
function emitCountedLoop(
  loop: LoopItem,
  gate: Gate,
  point: Point,
  counter: number,
  counted: CountedLoop,
  context: LoopContext,
): Expr {
  const { make } = context.module;
  const [exit, again] = [context.newLabel('exit'), context.newLabel('again')];
  const short = makeShortRun(loop, gate, counted, context);
  const strip = emitStrip(loop, counter, counted, short, exit, context);
  if (short?.copy === undefined) {
    return make.block(exit, [make.loop(again, [...strip, ...makeFireAgain(point, gate, again, context)])]);
  }
  const few = context.newLabel('few');
  const fire = makeFire(point, gate, context);
  const strips = make.loop(again, [...strip, ...fire, make.brIf(again, make.eqz(short.makeIsNext()))]);
  return make.block(exit, [make.block(few, [make.brIf(few, short.makeIsNext()), strips]), short.copy]);
}

/**
 * A strip of a counted loop, without a poll inside: it goes to the loop's end if the gate will not open meanwhile, else to
 * where it does, which leaves the gate's counter at zero.
 *
 *     if (remaining < counter) { counter -= remaining; limit = end }
 *     else { limit = i + counter * step; counter = 0 }
 *     (loop $name <body, which tests against limit>)
 *     (br_if $exit counter)
 *
 * @param counter the local that counts for the gate
 * @param short set where a strip with few iterations is not counted, unless a copy of the loop takes its place
 */
function emitStrip(
  loop: LoopItem,
  counter: number,
  counted: CountedLoop,
  short: ShortRun | undefined,
  exit: string,
  context: LoopContext,
): Expr[] {
  const { module, info, scratch } = context;
  const { make } = module;
  const limit = module.addLocal(info, i32);
  const count = (): Expr => make.get(counter, i32);
  const goToEnd = (): Expr => make.set(limit, counted.makeEnd());
  const toEnd = [make.set(counter, make.sub(count(), make.get(scratch, i32))), goToEnd()];
  const reached = make.multiply(count(), make.const(counted.step));
  const toGate = [make.set(limit, make.add(make.get(counted.counter, i32), reached)), make.set(counter, make.const(0))];
  const remaining = make.tee(scratch, counted.makeRemaining(), i32);
  const choose = make.if(make.lessUnsigned(remaining, count()), toEnd, toGate);
  const isUncounted = short !== undefined && short.copy === undefined ? short.makeIsNext() : undefined;
  const limits = isUncounted === undefined ? choose : make.if(isUncounted, [goToEnd()], [choose]);
  counted.testAgainst(limit);
  return [
    limits,
    make.loop(loop.name, context.emitRegion(loop.body, [])),
    make.brIf(exit, count()),
    ...context.makeClear(loop.staleAtEnd),
  ];
}

// --- With other points inside ---

/** The poll's slow path also leads to points inside; it comes first, so the rest of the body can be skipped. */
function emitOuterLoop(loop: LoopItem, gate: Gate, point: Point, context: LoopContext): Expr[] {
  const { make } = context.module;
  const wayIn = pointsIn(loop.body).length > 0 ? context.makeWayIn(loop) : [];
  if (ticks(loop, context)) {
    const poll = make.if(makeTick(point, gate, context), [...wayIn, ...context.makeLeaveAsked(point)]);
    return emitLoopOverPoints(loop, [poll], context);
  }
  const { before, left } = makeCountdown(gate, context);
  const slow = [...wayIn, ...makeFire(point, gate, context)];
  return emitLoopOverPoints(loop, [...before, make.if(make.eqz(left), slow)], context);
}

/** A loop that counts its iterations is likely to go over data, however seldom it is run: it does not call for each of them. */
function ticks(loop: LoopItem, context: LoopContext): boolean {
  return canTick(loop, context) && recogniseCountedLoop(context.module, loop) === undefined;
}

function emitUnpolledLoop(loop: LoopItem, context: LoopContext): Expr[] {
  return emitLoopOverPoints(loop, context.makeWayIn(loop), context);
}

/**
 * What is stale is cleared on the way back to the head, not there: who comes to the head to resume needs all locals.
 *
 *     (block $exit (loop $head
 *       (block $name <prelude> <body> (br $exit))
 *       <clear>
 *       (br $head)))
 */
function emitLoopOverPoints(loop: LoopItem, prelude: readonly Expr[], context: LoopContext): Expr[] {
  const { make } = context.module;
  const body = context.emitRegion(loop.body, prelude);
  if (loop.staleAtEnd.length === 0) return [make.loop(loop.name, body)];
  const [head, exit] = [context.newLabel('head'), context.newLabel('exit')];
  const leave = endsOpen(loop.body) ? [make.br(exit)] : [];
  const clear = context.makeClear(loop.staleAtEnd);
  const code = make.loop(head, [make.block(loop.name, [...body, ...leave]), ...clear, make.br(head)]);
  return endsOpen(loop.body) ? [make.block(exit, [code])] : [code];
}
