/** A jest reporter that writes down what ran: suites, tests, time, and the brokers that suites really used. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SharedBroker } from './broker-host.ts';

export interface RunSummary {
  readonly suites: number;
  readonly suitesFailed: number;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly brokers: Readonly<Record<string, { readonly version: string; readonly source: string }>>;
}

/** What is read of jest's own result. */
interface JestResult {
  readonly numTotalTestSuites: number;
  readonly numFailedTestSuites: number;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly startTime: number;
}

class SummaryReporter {
  onRunComplete(_contexts: unknown, results: JestResult): void {
    const file = process.env['QUORATE_TEST_SUMMARY'];
    if (!file) return;
    const summary: RunSummary = {
      suites: results.numTotalTestSuites,
      suitesFailed: results.numFailedTestSuites,
      passed: results.numPassedTests,
      failed: results.numFailedTests,
      skipped: results.numPendingTests + results.numTodoTests,
      seconds: (Date.now() - results.startTime) / 1_000,
      brokers: brokersUsed(),
    };
    writeFileSync(file, JSON.stringify(summary));
  }
}

/** The shared ones by what the host started, those of a suite's own by what was found for it. */
function brokersUsed(): Record<string, { version: string; source: string }> {
  const folder = process.env['QUORATE_TEST_FOLDER'];
  const brokers: Record<string, { version: string; source: string }> = {};
  if (!folder) return brokers;
  for (const service of ['nats', 'kafka']) {
    const file = ['used', 'own.found', 'process.found'].map((name) => join(folder, `${service}.${name}.json`)).find(existsSync);
    if (!file) continue;
    const found = JSON.parse(readFileSync(file, 'utf8')) as SharedBroker & { readonly available?: boolean };
    if (found.available !== false) brokers[service] = { version: found.version, source: found.source };
  }
  return brokers;
}

// Jest loads a reporter by `require` and takes the module itself for the class.
module.exports = SummaryReporter;
