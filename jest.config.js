/** Two projects: `unit` needs nothing but Node (where a suite wants a broker it says so), `system` runs whole groups over real brokers. */
const shared = {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['quorate-source', 'node', 'node-addons', 'require', 'default'] },
  transform: {
    '\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' }, sourceMaps: 'inline' },
    ],
    // ES modules only, which jest cannot load as they are.
    '@platformatic/.*\\.js$': ['@swc/jest', { jsc: { target: 'es2022' }, module: { type: 'commonjs' } }],
  },
  transformIgnorePatterns: ['/node_modules/(?!(\\.pnpm/)?@platformatic)'],
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
};

module.exports = {
  projects: [
    { ...shared, displayName: 'unit', testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/scripts/**/*.test.ts'] },
    { ...shared, displayName: 'system', testMatch: ['<rootDir>/test/**/*.test.ts'] },
  ],
  globalSetup: '<rootDir>/scripts/test/setup.ts',
  globalTeardown: '<rootDir>/scripts/test/teardown.ts',
  testTimeout: 60_000,
  maxWorkers: 2,
};
