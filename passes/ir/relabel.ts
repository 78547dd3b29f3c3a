/** New labels for copied code: labels must be unique in a function. */

import { api, type Expr } from './binaryen.js';
import { kindOf, labelOf } from './expressions.js';
import { walk } from './walk.js';

/** Gives every label within `code` a new name, and the branches to them; branches out of it stay as they are. */
export function relabel(code: Expr, newLabel: () => string): void {
  const renamed = new Map<string, string>();
  walk(code, (expr) => {
    const label = labelOf(expr);
    if (label !== undefined) renamed.set(label, newLabel());
  });
  walk(code, (expr) => renameIn(expr, (label) => renamed.get(label) ?? label));
}

function renameIn(expr: Expr, newName: (label: string) => string): void {
  const label = labelOf(expr);
  if (label !== undefined) (kindOf(expr) === 'Loop' ? api.Loop : api.Block).setName(expr, newName(label));
  renameTargets(expr, newName);
}

/** Lets a Break or Switch go to other labels. */
export function renameTargets(expr: Expr, newName: (label: string) => string): void {
  const kind = kindOf(expr);
  if (kind === 'Break') api.Break.setName(expr, newName(api.Break.getName(expr)));
  if (kind !== 'Switch') return;
  api.Switch.setDefaultName(expr, newName(api.Switch.getDefaultName(expr)));
  const count = api.Switch.getNumNames(expr);
  for (let index = 0; index < count; index++) {
    api.Switch.setNameAt(expr, index, newName(api.Switch.getNameAt(expr, index)));
  }
}
