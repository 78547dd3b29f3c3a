/** The script that stands for `x.wasm?mvvm`: its default export is the loaded program. */

/** With the module inside, in base64. */
export function inlineProgram(wasm: Uint8Array): string {
  return `import { loadProgram } from 'mvvmc/runtime';
const text = '${Buffer.from(wasm).toString('base64')}';
export default await loadProgram(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)));
`;
}

/**
 * With the module in a file of its own. Node does not fetch files, so they are read there.
 * @param place lines of script that define `url`, a URL, in the way of the bundler
 */
export function fetchedProgram(place: string): string {
  return `import { loadProgram } from 'mvvmc/runtime';
${place}
async function read() {
  if (url.protocol === 'file:') return process.getBuiltinModule('node:fs/promises').readFile(url);
  const response = await fetch(url);
  if (!response.ok) throw new Error(\`\${url} cannot be fetched: status \${response.status}\`);
  return new Uint8Array(await response.arrayBuffer());
}
export default await loadProgram(await read());
`;
}
