import { expect, test } from '@jest/globals';
import { printable } from './printable.js';

test.each([
  ['an escape sequence', 'a\u001b[2Jb\u009b1mc', 'a\ufffd[2Jb\ufffd1mc'],
  ['a line that looks like ours', 'a\n  mvvm: error: b\rc', 'a mvvm: error: b\ufffdc'],
  ['a change of direction', 'a\u202eb\u2066c', 'a\ufffdb\ufffdc'],
  ['other languages and signs', 'schön, 漢字, 🙂', 'schön, 漢字, 🙂'],
])('%s does nothing to a terminal', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});
