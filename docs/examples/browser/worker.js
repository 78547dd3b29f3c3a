// The worker: a guest occupies its thread, so it runs in slices, and between two of them the worker hears the page.
import {
  decodeSnapshotAsync,
  encodeSnapshotAsync,
  inputOf,
  outputTo,
  restoreGuest,
  startGuest,
  wasiSystem,
  webCodecs,
  webHasher,
} from 'mvvmc/runtime';
import program from './bc.wasm?mvvm';

const SLICE_MS = 100;

const decoder = new TextDecoder();
const show = outputTo((bytes) =>
  postMessage({ kind: 'output', text: decoder.decode(bytes.slice(), { stream: true }) }),
);
const stdio = { stdin: inputOf(new Uint8Array()), stdout: show, stderr: show };
let freeze = false;

self.onmessage = async ({ data }) => {
  try {
    if (data.kind === 'freeze') freeze = true;
    if (data.kind === 'start') await runSlices(startGuest(program, { system: wasiSystem({ args: data.args, stdio }) }));
    if (data.kind === 'thaw') await runSlices(await thaw(new Uint8Array(data.snapshot)));
  } catch (error) {
    // The program trapped; or the file is no snapshot, or one of another program, and nothing has run.
    postMessage({ kind: 'failed', reason: error.message });
  }
};
postMessage({ kind: 'ready' });

async function thaw(bytes) {
  const stored = await decodeSnapshotAsync(bytes, { hasher: webHasher, codecs: webCodecs });
  return restoreGuest(program, stored, { system: wasiSystem({ stdio }) });
}

async function runSlices(guest) {
  for (;;) {
    const end = performance.now() + SLICE_MS;
    const outcome = guest.run({ requested: () => performance.now() >= end });
    if (outcome.kind === 'finished') return postMessage({ kind: 'ended' });
    if (outcome.kind === 'trapped') throw outcome.error;
    // A turn of the event loop, in which a message may come.
    await new Promise((next) => setTimeout(next));
    if (freeze) return postMessage({ kind: 'frozen', ...(await encode(outcome.snapshot)) });
  }
}

async function encode(snapshot) {
  const chunks = [];
  const options = { compression: 'gzip', hasher: webHasher, codecs: webCodecs };
  for await (const chunk of encodeSnapshotAsync(snapshot, options)) chunks.push(chunk.slice());
  return { snapshot: await new Blob(chunks).arrayBuffer(), stablePoints: snapshot.stablePoints };
}
