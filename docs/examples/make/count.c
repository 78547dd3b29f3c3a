// Counts the primes below a number. It knows nothing of checkpoints.
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **words) {
  int limit = count > 1 ? atoi(words[1]) : 100000;
  int primes = 0;
  for (int number = 2; number < limit; number++) {
    int divisor = 2;
    while (divisor * divisor <= number && number % divisor != 0) divisor++;
    if (divisor * divisor > number) primes++;
  }
  printf("%d primes below %d\n", primes, limit);
}
