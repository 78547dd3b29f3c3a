import { execFileSync } from 'node:child_process';
import { expect, test } from '@jest/globals';

const script = `import(${JSON.stringify(new URL('tier-up.js', import.meta.url).href)})
  .then(({ engineTiersUp }) => console.log(engineTiersUp()))`;

test.each<[string, readonly string[], string]>([
  ['is expected to without flags', [], 'true'],
  ['is expected to with flags about other things', ['--no-wasm-lazy-compilation', '--stack-size=900'], 'true'],
  ['does not with the optimising compiler alone', ['--no-liftoff'], 'false'],
  ['does not with the baseline compiler alone', ['--liftoff-only'], 'false'],
])('an engine %s', (_what, flags, answer) => {
  expect(execFileSync(process.execPath, [...flags, '-e', script], { encoding: 'utf8' }).trim()).toBe(answer);
});
