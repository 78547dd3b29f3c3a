/** Whether a snapshot and a module belong together: everything that can be known before anything is allocated. */

import { exports as abiExports } from '../abi/index.js';
import type { Snapshot } from '../snapshot/snapshot.js';
import { badState, EngineError, otherModule } from './errors.js';
import { readStack } from './frames.js';
import type { Program } from './program.js';

/**
 * @throws {EngineError} `other-module` or `bad-state`
 */
export function checkSnapshot({ hash, map }: Program, snapshot: Snapshot): void {
  if (snapshot.module.hash !== hash) throw new EngineError(otherModule(snapshot.module.hash, hash));
  readStack(snapshot.words, map);
  if (snapshot.memories.length !== map.memories.length) {
    throw new EngineError(badState(`it has ${snapshot.memories.length} memories, the module ${map.memories.length}`));
  }
  if (snapshot.tables.length !== map.tables.length) {
    throw new EngineError(badState(`it has ${snapshot.tables.length} tables, the module ${map.tables.length}`));
  }
  snapshot.tables.forEach((elements, table) => {
    const wrong = elements.findIndex((known) => known < -1 || known >= map.referableFunctions);
    if (wrong >= 0) throw new EngineError(badState(`element ${wrong} of table ${table} is no function of the module`));
  });
  for (const name of [snapshot.entry, ...snapshot.then]) {
    if (name !== abiExports.start && !map.exports.some((entry) => entry.name === name)) {
      throw new EngineError(badState(`its entry ${JSON.stringify(name)} is no export of the module`));
    }
  }
}
