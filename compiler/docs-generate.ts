/**
 * Writes docs/passes.md from the table of passes, docs/mvvmc.md and docs/mvvm.md from the commands' --help, and
 * docs/troubleshooting.md from the diagnostics, so that none can say anything else than the program. `make docs` runs it; with `--check`, as in `make check`, it only compares.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { passes } from '../passes/index.js';
import { helpOf, overview } from './cli/mvvm/help.js';
import { commands } from './cli/mvvm/options.js';
import { snapshotHelp } from './cli/mvvm/snapshot-options.js';
import { helpText } from './cli/mvvmc/command-line.js';
import { troubleshootingPage } from './docs-diagnostics.js';
import { commandPage, commandsPage, passesPage } from './docs-pages.js';

/** Columns of the help text in the documentation. */
const columns = 100;

/** Writes or compares the pages; returns the names of those that differ. */
async function publish(pages: ReadonlyMap<string, string>, checkOnly: boolean): Promise<string[]> {
  const stale: string[] = [];
  for (const [name, text] of pages) {
    const path = new URL(`../../docs/${name}`, import.meta.url);
    const old = await readFile(path, 'utf8').catch(() => undefined);
    if (old === text) continue;
    stale.push(name);
    if (!checkOnly) await writeFile(path, text);
  }
  return stale;
}

/** What each command says of itself. */
function helpOfCommands(): Map<string, string> {
  const texts = new Map<string, string>();
  for (const name of commands) texts.set(name, helpOf(name, columns));
  return texts.set('snapshot', snapshotHelp(columns));
}

const checkOnly = process.argv.includes('--check');
const pages = new Map([
  ['passes.md', passesPage(passes)],
  ['mvvmc.md', commandPage(helpText(columns))],
  ['troubleshooting.md', troubleshootingPage()],
  ['mvvm.md', commandsPage(overview(), helpOfCommands())],
]);
for (const name of await publish(pages, checkOnly)) {
  if (checkOnly) process.exitCode = 1;
  process.stdout.write(checkOnly ? `docs/${name} is stale: run make docs\n` : `wrote docs/${name}\n`);
}
