import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts'],
          environment: 'node',
          pool: 'forks',
          maxWorkers: 2,
          // Properties take seconds; on a machine that is busy with engines, many of them.
          testTimeout: 120_000,
          globalSetup: ['test/own-temporary-folder.ts'],
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          environment: 'node',
          pool: 'forks',
          // Engines, registries and git share the machine with the tests: more would only wait.
          maxWorkers: 2,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          globalSetup: ['test/own-temporary-folder.ts', 'test/integration/shared-sandbox.ts'],
        },
      },
      {
        test: {
          name: 'hosts',
          include: ['test/hosts/**/*.test.ts'],
          environment: 'node',
          pool: 'forks',
          maxWorkers: 2,
          testTimeout: 600_000,
          hookTimeout: 600_000,
          globalSetup: ['test/own-temporary-folder.ts', 'test/hosts/setup.ts'],
        },
      },
    ],
  },
});
