/** The generated pages of the documentation: docs/passes.md, docs/mvvmc.md and docs/mvvm.md. docs-generate.ts puts them there. */

import type { PassInfo } from '../passes/index.js';

const stages: readonly { readonly stage: PassInfo['stage']; readonly title: string; readonly text: string }[] = [
  {
    stage: 'placement',
    title: 'Placement',
    text: 'These decide where stable points are. Each leaves marks that `--dump-after` shows; none changes what the module does.',
  },
  {
    stage: 'analysis',
    title: 'Analysis',
    text: 'These refuse what cannot be compiled, tidy up, and check what the placement promised. None adds anything to the module.',
  },
  {
    stage: 'lowering',
    title: 'Lowering',
    text: 'These turn marks into code that polls, leaves and comes back.',
  },
];

/** The text of docs/passes.md. */
export function passesPage(table: readonly PassInfo[]): string {
  const chapters = stages.map(({ stage, title, text }) => {
    const sections = table.filter((pass) => pass.stage === stage).map(section);
    return `## ${title}\n\n${text}\n\n${sections.join('\n')}`;
  });
  return `# Passes\n\n${note('make docs', 'passes/')}\n${overview(table)}\n${chapters.join('\n')}`;
}

/** The text of docs/mvvmc.md. */
export function commandPage(help: string): string {
  return `# The command mvvmc\n\n${note('make docs', 'compiler/cli/mvvmc/')}\n${textBlock(help)}`;
}

/**
 * The text of docs/mvvm.md.
 * @param helps each command's, by its name
 */
export function commandsPage(overview: string, helps: ReadonlyMap<string, string>): string {
  const sections = [...helps].map(([name, help]) => `\n## mvvm ${name}\n\n${textBlock(help)}`);
  return `# The command mvvm\n\n${note('make docs', 'compiler/cli/mvvm/')}\n${textBlock(overview)}${sections.join('')}`;
}

function textBlock(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}

function note(command: string, source: string): string {
  return `<!-- Made by \`${command}\` from ${source}: change it there. -->\n`;
}

function overview(table: readonly PassInfo[]): string {
  const rows = table.map(({ name, flag, description }) => {
    const anchor = `[${name}](#${name})`;
    return `| ${anchor} | ${flag === undefined ? '' : `\`--${flag}\``} | ${description} |\n`;
  });
  return `A module goes through these from top to bottom. A pass with a flag does its work when the flag is given.\n\n| pass | flag | what it does |\n|---|---|---|\n${rows.join('')}`;
}

function section({ name, flag, description, documentation }: PassInfo): string {
  const heading = flag === undefined ? `### ${name}` : `### ${name}\n\nFlag: \`--${flag}\``;
  return `${heading}\n\n${capitalise(description)}.\n\n${documentation.trim()}\n`;
}

function capitalise(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1).replace(/\.$/, '')}`;
}
