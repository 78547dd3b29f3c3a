/** Tests are compiled with everything else by `tsc -b` and run from dist/, so jest transforms nothing. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist'],
  testMatch: ['**/*.test.js'],
  transform: {},
  // Against hanging only: machines are busy at times, and nothing here is a timed test.
  testTimeout: 600_000,
  maxWorkers: 2,
};
