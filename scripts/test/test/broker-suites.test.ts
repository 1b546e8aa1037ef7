/** Suites that need a broker where none can be had: skipped with the reason or, when brokers are required, failed with it. */
import { capture, root } from '../../check/tool.ts';

const fixture = ['--testMatch', '<rootDir>/scripts/test/fixture/needs-brokers.ts', '--selectProjects', 'unit'];
const nowhere = { QUORATE_NATS_URL: 'nats://127.0.0.1:1', QUORATE_KAFKA_BROKERS: '127.0.0.1:1' };
const timeoutMs = 60_000;

function runFixture(env: Record<string, string>): Promise<{ readonly code: number; readonly output: string }> {
  return capture(process.execPath, [require.resolve('jest/bin/jest'), ...fixture], {
    cwd: root,
    env: { ...nowhere, QUORATE_TEST_HOST: '', QUORATE_TEST_FOLDER: '', ...env },
  });
}

describe('suites that need a broker', () => {
  test(
    'are skipped, and each says so with the reason, when none can be had',
    async () => {
      const { code, output } = await runFixture({ QUORATE_REQUIRE_BROKERS: '' });
      expect(output).toContain('SKIPPED: a suite over NATS');
      expect(output).toContain('SKIPPED: a suite over Kafka');
      expect(output).toContain('QUORATE_KAFKA_BROKERS is set, but 127.0.0.1:1 cannot be reached');
      expect(output).toContain('2 skipped');
      expect(code).toBe(0);
    },
    timeoutMs,
  );

  test(
    'fail with the reason when brokers are required',
    async () => {
      const { code, output } = await runFixture({ QUORATE_REQUIRE_BROKERS: '1' });
      expect(output).toContain('QUORATE_REQUIRE_BROKERS=1 makes this a failure');
      expect(output).toContain('2 failed');
      expect(code).not.toBe(0);
    },
    timeoutMs,
  );
});
