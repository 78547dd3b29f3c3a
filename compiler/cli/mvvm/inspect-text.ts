/** The facts about a snapshot, written for a person. */

import type { DecodedSlot } from '../../../runtime/index.js';
import { printable } from '../printable.js';
import { sizeText } from '../size-text.js';
import type { FrameFacts, MemoryFacts, SnapshotFacts, StackFacts } from './inspect-facts.js';

/** A deep stack is shown by its inner and outer end. */
const INNER_FRAMES = 24;
const OUTER_FRAMES = 4;
const SHOWN_REGIONS = 16;

export function inspectText(facts: SnapshotFacts): string {
  return [
    ...headLines(facts),
    '',
    ...(facts.stack === undefined ? unknownStack(facts) : stackLines(facts.stack)),
    '',
    ...facts.memories.flatMap(memoryLines),
    ...facts.tables.map(
      ({ elements, nulls }, index) => `Table ${index}: ${plural(elements, 'element')}, ${nulls} of them null`,
    ),
    ...descriptorLines(facts),
    ...secretLines(facts),
    '',
  ]
    .map(printable)
    .join('\n');
}

function headLines({
  file,
  deltas,
  module,
  createdAt,
  stablePoints,
  entry,
  following,
  digest,
  signedBy,
  deterministic,
}: SnapshotFacts): string[] {
  const next = following.length > 0 ? `, then ${following.join(', ')}` : '';
  return [
    file,
    ...deltas.map((delta) => `  + ${delta}`),
    `  taken      ${createdAt}, after ${plural(stablePoints, 'stable point')}`,
    `  running    ${entry}${next}${deterministic === true ? ' (deterministic)' : ''}`,
    `  module     ${module.hash}`,
    `  compiled   from ${module.original}`,
    `             by mvvmc ${module.compiler} (ABI ${module.abi}), ${module.policies.join(', ')}, threshold bits ${module.thresholdBits}`,
    `  digest     ${digest}`,
    ...(signedBy === undefined ? [] : [`  signed by  ${signedBy}`]),
  ];
}

function unknownStack({ stackWords, point }: SnapshotFacts): string[] {
  return [
    `Stack: ${plural(stackWords, 'word')}, stopped at stable point ${point}`,
    '  the module knows what they mean: name it with -t',
  ];
}

function stackLines({ frames, globals, droppedSegments }: StackFacts): string[] {
  const innermostFirst = [...frames].reverse();
  const hidden = Math.max(0, frames.length - INNER_FRAMES - OUTER_FRAMES);
  const number = (frame: FrameFacts, index: number): string[] => frameLines(frame, index);
  const lines =
    hidden === 0
      ? innermostFirst.flatMap(number)
      : [
          ...innermostFirst.slice(0, INNER_FRAMES).flatMap(number),
          `  ... ${plural(hidden, 'frame')} more (--json has all)`,
          ...innermostFirst
            .slice(-OUTER_FRAMES)
            .flatMap((frame, index) => number(frame, frames.length - OUTER_FRAMES + index)),
        ];
  return [
    `Stack: ${plural(frames.length, 'frame')}, innermost first`,
    ...lines,
    '',
    `Globals: ${globals.length === 0 ? 'none that can change' : ''}`.trimEnd(),
    ...globals.map(slotLine),
    ...(droppedSegments.length === 0 ? [] : [`Dropped data segments: ${droppedSegments.join(', ')}`]),
  ];
}

function frameLines(
  { function: name, functionIndex, kind, ordinal, point, slots }: FrameFacts,
  index: number,
): string[] {
  const where = functionIndex < 0 ? '' : ` [${functionIndex}]`;
  return [`  #${index} ${name}${where} at ${kind} ${ordinal} (stable point ${point})`, ...slots.map(slotLine)];
}

function slotLine(slot: DecodedSlot): string {
  const bits = slot.type === 'f32' || slot.type === 'f64' ? `  (${slot.bits})` : '';
  return `       ${slot.type} ${slot.name} = ${slot.value}${bits}`;
}

function memoryLines({ pages, bytes, regions }: MemoryFacts, index: number): string[] {
  const used = regions.reduce((sum, { start, end }) => sum + end - start, 0);
  const shown = regions.slice(0, SHOWN_REGIONS);
  const rest = regions.length - shown.length;
  return [
    `Memory ${index}: ${plural(pages, 'page')} (${sizeText(bytes)}), ${sizeText(used)} of it in use`,
    ...shown.map(({ start, end }) => `       ${address(start)} - ${address(end)}  ${sizeText(end - start)}`),
    ...(rest > 0 ? [`       ... ${plural(rest, 'region')} more (--json has all)`] : []),
  ];
}

function descriptorLines({ descriptors }: SnapshotFacts): string[] {
  if (descriptors === undefined) return [];
  return [
    'Open files:',
    ...descriptors.map(({ fd, kind, name, offset }) => {
      const at = offset === undefined ? '' : ` at byte ${offset}`;
      return `       ${String(fd).padStart(3)}  ${kind === 'stdio' ? name : `${kind} ${name}`}${at}`;
    }),
  ];
}

function secretLines({ arguments: args, environment }: SnapshotFacts): string[] {
  if (args === undefined || environment === undefined) return ['Arguments and environment: --secrets shows them'];
  return [
    `Arguments: ${args.map((arg) => JSON.stringify(arg)).join(' ')}`,
    'Environment:',
    ...environment.map((entry) => `       ${entry}`),
  ];
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function address(value: number): string {
  return `0x${value.toString(16).padStart(8, '0')}`;
}
