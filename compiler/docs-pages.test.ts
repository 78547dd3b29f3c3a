import { describe, expect, test } from '@jest/globals';
import { commandPage, commandsPage, passesPage } from './docs-pages.js';

const page = passesPage([
  {
    name: 'loop-checkpoint',
    stage: 'placement',
    flag: 'enable-loop-checkpoint',
    description: 'marks loops.',
    documentation: 'Every head.\n',
  },
  { name: 'lower-polls', stage: 'lowering', description: 'makes polls', documentation: 'Of marks.' },
]);

describe('docs/passes.md', () => {
  test('lists every pass with its flag, linked to its section', () => {
    expect(page).toContain('| [loop-checkpoint](#loop-checkpoint) | `--enable-loop-checkpoint` | marks loops. |');
    expect(page).toContain('| [lower-polls](#lower-polls) |  | makes polls |');
  });

  test('gives every pass a section in the chapter of its stage', () => {
    expect(page).toContain('## Placement\n');
    expect(page.indexOf('### loop-checkpoint')).toBeLessThan(page.indexOf('## Lowering'));
    expect(page.indexOf('### lower-polls')).toBeGreaterThan(page.indexOf('## Lowering'));
    expect(page).toContain('### loop-checkpoint\n\nFlag: `--enable-loop-checkpoint`\n\nMarks loops.\n\nEvery head.\n');
  });

  test('says that it is generated', () => {
    expect(page).toContain('Made by `make docs`');
  });
});

describe('docs/mvvmc.md', () => {
  test('shows the help as it is', () => {
    expect(commandPage('mvvmc [options]\n\n  -o  output\n\n')).toContain(
      '```text\nmvvmc [options]\n\n  -o  output\n```\n',
    );
  });
});

describe('docs/mvvm.md', () => {
  test('shows the help of every command', () => {
    const page = commandsPage('mvvm <command>\n', new Map([['run', 'mvvm run\n']]));
    expect(page).toContain('```text\nmvvm <command>\n```\n\n## mvvm run\n\n```text\nmvvm run\n```\n');
  });
});
