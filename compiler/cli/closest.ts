/** Which known word somebody may have meant. */

/** The known word nearest to this one, if one is near: at most one wrong letter in three. */
export function findClosest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word, candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= word.length / 3 ? best.candidate : undefined;
}

/** Letters to insert, delete, replace or exchange with their neighbours to get from one word to the other. */
function editDistance(from: string, to: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, letter] of [...from].entries()) {
    const next = [index + 1];
    for (const [at, other] of [...to].entries()) {
      const replaced = (last[at] ?? 0) + (letter === other ? 0 : 1);
      const isExchanged = letter === to[at - 1] && other === from[index - 1];
      const exchanged = isExchanged ? (beforeLast[at - 1] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      next.push(Math.min(replaced, exchanged, (last[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    [beforeLast, last] = [last, next];
  }
  return last.at(-1) ?? 0;
}
