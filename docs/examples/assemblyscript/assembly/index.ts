/** Steps that a number takes to come to 1, halved when even and else tripled plus one; the longest way below a limit. */
export function longestWay(limit: i32): i32 {
  let longest = 0;
  for (let start: i64 = 1; start < limit; start++) {
    let steps = 0;
    for (let number = start; number !== 1; steps++) number = number % 2 === 0 ? number / 2 : 3 * number + 1;
    longest = max(longest, steps);
  }
  return longest;
}
