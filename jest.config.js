// Two projects: `unit` needs nothing running; `integration` gets the real Kafka, registry, Temporal and PostgreSQL
// from test/helpers/stack.ts, started once for the run on free ports. `containers` builds the image and brings up
// docker-compose.yml: only where it is asked for, `npm run test:containers`.
const common = {
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2023' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json'],
  testPathIgnorePatterns: ['/node_modules/', '/.oms/'],
  modulePathIgnorePatterns: ['<rootDir>/.oms/'],
};

// Where containers are asked for, the tests of the local stack itself have nothing to test.
const withoutStack = process.env.OMS_TEST_STACK === 'containers' ? ['<rootDir>/test/integration/local/'] : [];

export default {
  maxWorkers: process.env.CI ? 2 : '100%',
  projects: [
    {
      ...common,
      displayName: 'unit',
      testMatch: ['<rootDir>/test/**/*.test.ts'],
      testPathIgnorePatterns: [
        ...common.testPathIgnorePatterns,
        '<rootDir>/test/integration/',
        '<rootDir>/test/containers/',
      ],
      setupFilesAfterEnv: ['<rootDir>/test/helpers/unit-timeout.ts'],
    },
    {
      ...common,
      displayName: 'integration',
      testMatch: ['<rootDir>/test/integration/**/*.test.ts'],
      testPathIgnorePatterns: [...common.testPathIgnorePatterns, ...withoutStack],
      globalSetup: '<rootDir>/test/helpers/global-setup.ts',
      globalTeardown: '<rootDir>/test/helpers/global-teardown.ts',
      setupFilesAfterEnv: ['<rootDir>/test/helpers/integration-timeout.ts'],
    },
    ...(process.env.OMS_TEST_CONTAINERS
      ? [{ ...common, displayName: 'containers', testMatch: ['<rootDir>/test/containers/**/*.test.ts'] }]
      : []),
  ],
};
