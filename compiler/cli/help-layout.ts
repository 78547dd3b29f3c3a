/** How a page of help looks: usage, text, options by group, examples, and notes such as what the exit status means. */

import { dashed, namesOf, type Option, type OptionTable } from './option-table.js';

export interface HelpPage {
  readonly usage: string;
  /** One paragraph. */
  readonly text: string;
  readonly options: OptionTable;
  readonly examples: readonly (readonly [command: string, meaning: string])[];
  /** Paragraphs of their own, last. */
  readonly notes: readonly string[];
}

type Row = readonly [left: string, right: string];

/** Longer lines are hard to read, however wide the terminal; in narrower columns nothing can be laid out. */
const MOST_COLUMNS = 100;
const LEAST_COLUMNS = 40;
/** The least that descriptions beside something have; else they go below it. */
const LEAST_BESIDE = 30;

/** @param columns of the screen; 0 or undefined where it does not know */
export function layOutHelp({ usage, text, options, examples, notes }: HelpPage, columns: number | undefined): string {
  const width = Math.max(LEAST_COLUMNS, Math.min(columns || MOST_COLUMNS, MOST_COLUMNS));
  const groups = [...new Set(Object.values(options).map(({ group }) => group))];
  const blocks = [
    usage,
    wrap(text, width).join('\n'),
    ...groups.map(
      (group) => `${wrap(`${group}:`, width).join('\n')}\n${twoColumns(optionRows(options, group), width)}`,
    ),
    ...(examples.length === 0 ? [] : [`Examples:\n${twoColumns(examples, width)}`]),
    ...notes.map((note) => wrap(note, width).join('\n')),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function optionRows(options: OptionTable, wanted: string): Row[] {
  return Object.entries(options).flatMap(([name, option]): Row[] => {
    if (option.group !== wanted) return [];
    const { description, shownDefault } = option;
    return [
      [
        shownNames(name, option),
        shownDefault === undefined ? description : `${description} (default: ${shownDefault})`,
      ],
    ];
  });
}

/** Letters first; long names stand below each other whether there is a letter or not. */
function shownNames(name: string, option: Option): string {
  const names = namesOf(name, option);
  const letters = names.filter((known) => known.length === 1);
  const others = names.filter((known) => known.length > 1);
  return `${letters.length === 0 ? '    ' : ''}${[...letters, ...others].map(dashed).join(', ')}`;
}

/** The right column beside the left one, or below it where a row would leave too little room. Commands are never broken. */
function twoColumns(rows: readonly Row[], width: number): string {
  const fitting = rows.map(([left]) => left.length).filter((length) => width - length - 4 >= LEAST_BESIDE);
  const column = Math.max(0, ...fitting) + 4;
  return rows
    .map(([left, right]) => {
      const lines = wrap(right, width - column).map((line) => `${' '.repeat(column)}${line}`);
      const first = `  ${left}`;
      if (first.length + 2 > column) return [first, ...lines].join('\n');
      return [first + (lines[0] ?? '').slice(first.length), ...lines.slice(1)].join('\n');
    })
    .join('\n');
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
