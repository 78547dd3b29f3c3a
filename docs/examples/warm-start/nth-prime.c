// Answers what the n-th prime is, for each number on standard input. Before the first answer it finds all primes below
// 20 million, which is what takes long. It knows nothing of snapshots.
//
//   clang --target=wasm32-wasi -O2 -o nth-prime.wasm nth-prime.c
#include <stdio.h>
#include <stdlib.h>

enum { LIMIT = 20000000 };

static unsigned char composite[LIMIT];
static int *primes;
static int count;

static void find_primes(void) {
  primes = malloc(1300000 * sizeof *primes);
  for (int number = 2; number < LIMIT; number++) {
    if (composite[number]) continue;
    primes[count++] = number;
    for (long multiple = (long)number * number; multiple > 0 && multiple < LIMIT; multiple += number) composite[multiple] = 1;
  }
}

// Exported and not inlined, so that it stays a function: its entry is where snapshots are taken.
__attribute__((export_name("answer"), noinline)) void answer(void) {
  int n;
  while (scanf("%d", &n) == 1) {
    if (n < 1 || n > count) printf("%d: not among the first %d\n", n, count);
    else printf("%d: %d\n", n, primes[n - 1]);
  }
}

int main(void) {
  find_primes();
  answer();
}
