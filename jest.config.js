/** Tests are compiled with everything else by `tsc -b` and run from dist/, so jest transforms nothing. */
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/dist'],
  testMatch: ['**/*.test.js'],
  transform: {},
  testTimeout: 120_000,
  maxWorkers: 2,
};
