// A recursive function is stopped in the middle of its work, and continued from the bytes of its snapshot.
import { decodeSnapshot, encodeSnapshot, restoreGuest, startGuest } from 'mvvmc/runtime';
import program from './reactor.wasm?mvvm';

const stopped = startGuest(program, { entry: 'power', entryArguments: [1.5, 20] }).run({ atPoint: 12 });
const bytes = new Uint8Array(
  await new Blob([...encodeSnapshot(stopped.snapshot)].map((part) => part.slice())).arrayBuffer(),
);
const finished = restoreGuest(program, decodeSnapshot(bytes)).run();

console.log(`${stopped.kind}, ${bytes.length > 0 ? 'written' : 'lost'}, ${finished.kind}: ${finished.results}`);
