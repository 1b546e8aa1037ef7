/** Each rule of the layering catches a violation planted against it, and lets the allowed neighbour of that violation pass. */
import { checkLevels } from '../level-rules.ts';
import type { Violation } from '../level-rules.ts';

const core = 'packages/core/src';

function check(files: Readonly<Record<string, string>>): readonly Violation[] {
  return checkLevels(new Map(Object.entries(files)));
}

/** The rules broken by one file of core at `path` with this text. */
function rulesBroken(path: string, text: string): readonly string[] {
  return check({ [`${core}/${path}`]: text }).map((violation) => violation.rule);
}

describe('import levels', () => {
  test('lets a folder import itself and lower levels', () => {
    const text = `import { a } from './quorum.ts'; import type { b } from '../time/clock.ts'; import { c } from '../errors.ts';`;
    expect(rulesBroken('paxos/leader.ts', text)).toEqual([]);
  });

  test.each([
    ['a higher level', 'paxos/leader.ts', `import { a } from '../codec/frame.ts';`],
    ['a neighbour on the same level', 'lock/lock-table.ts', `import { a } from '../paxos/ballot.ts';`],
    ['a higher level for its types only', 'paxos/leader.ts', `import type { A } from '../runtime/loop.ts';`],
    ['a higher level by re-export', 'time/clock.ts', `export { a } from '../paxos/ballot.ts';`],
    ['a higher level by re-export of everything', 'time/clock.ts', `export * from '../paxos/ballot.ts';`],
    ['a higher level in a type', 'time/clock.ts', `export type A = import('../paxos/ballot.ts').Ballot;`],
    ['a higher level by require', 'transport/memory.ts', `const a = require('../runtime/loop.ts');`],
    ['a higher level at run time', 'transport/memory.ts', `void import('../runtime/loop.ts');`],
    ['a door', 'api/join.ts', `import { a } from '../index.ts';`],
  ])('catches an import of %s', (_what, path, text) => {
    expect(rulesBroken(path, text)).toEqual(['level']);
  });

  test('catches a folder that stands on no level', () => {
    expect(rulesBroken('helpers/text.ts', 'export const a = 1;')).toEqual(['level']);
  });

  test('names the file and the line', () => {
    const [violation] = check({ [`${core}/paxos/leader.ts`]: `\n\nimport { a } from '../codec/frame.ts';` });
    expect(violation).toMatchObject({ file: `${core}/paxos/leader.ts`, line: 3 });
  });
});

describe('rxjs', () => {
  test.each(['runtime/loop.ts', 'api/join.ts', 'machine.ts'])('is welcome in %s', (path) => {
    expect(rulesBroken(path, `import { map } from 'rxjs/operators'; import type { Observable } from 'rxjs';`)).toEqual([]);
  });

  test.each(['paxos/leader.ts', 'codec/frame.ts', 'transport/memory.ts', 'storage/memory.ts', 'simulation/world.ts', 'errors.ts'])(
    'is caught in %s, whole or by its operators or types',
    (path) => {
      expect(rulesBroken(path, `import { Subject } from 'rxjs';`)).toEqual(['rxjs']);
      expect(rulesBroken(path, `import { map } from 'rxjs/operators';`)).toEqual(['rxjs']);
      expect(rulesBroken(path, `import type { Observable } from 'rxjs';`)).toEqual(['rxjs']);
    },
  );
});

describe('adapters', () => {
  const adapter = 'packages/nats-adapter/src/index.ts';

  test('import the door for adapters, clients and their own files', () => {
    const text = `import { a } from '@quorate/core/adapter'; import type { b } from 'nats'; import { c } from './names.ts';`;
    expect(check({ [adapter]: text })).toEqual([]);
  });

  test.each([
    ['the door for users', `import { join } from '@quorate/core';`, 'adapter'],
    ['the door of the machines', `import { synod } from '@quorate/core/machines';`, 'adapter'],
    ['types from the door for users', `import type { Quorate } from '@quorate/core';`, 'adapter'],
    ['another adapter', `import { a } from '@quorate/kafka-adapter';`, 'adapter'],
    ['the sources of core', `import { a } from '../../core/src/adapter.ts';`, 'foreign'],
    ['rxjs', `import { Subject } from 'rxjs';`, 'rxjs'],
  ])('are caught importing %s', (_what, text, rule) => {
    expect(check({ [adapter]: text }).map((violation) => violation.rule)).toEqual([rule]);
  });
});

describe('packages that core may use', () => {
  test.each([
    `import { Kafka } from 'kafkajs';`,
    `import { a } from '@quorate/nats-adapter';`,
    `import { a } from '../../../../scripts/program.ts';`,
  ])('do not include %s', (text) => {
    expect(rulesBroken('transport/memory.ts', text)).toEqual(['foreign']);
  });
});

describe('determinism of levels 0 to 2', () => {
  const forbidden = [
    'export const a = Date.now();',
    'export const a = new Date();',
    'export const a = performance.now();',
    'export const a = Math.random();',
    'export const a = crypto.randomUUID();',
    `import { randomBytes } from 'node:crypto'; export const a = randomBytes(1);`,
    'setTimeout(() => 1, 1);',
    'setInterval(() => 1, 1);',
    'setImmediate(() => 1);',
    'queueMicrotask(() => 1);',
    'export const a = process.hrtime();',
    'export async function a(): Promise<void> {}',
    'export const a = async () => 1;',
    'export const a = new Promise<void>(() => undefined);',
    'export const b = await a;',
    `import { setTimeout as sleep } from 'node:timers/promises'; void sleep;`,
    `import { performance as p } from 'node:perf_hooks'; void p;`,
  ];

  test.each(forbidden)('catches %s', (text) => {
    for (const path of ['time/clock.ts', 'lock/lock-table.ts', 'codec/frame.ts']) expect(rulesBroken(path, text)).toContain('determinism');
  });

  test.each(forbidden)('leaves levels 3 and above to do %s', (text) => {
    expect(rulesBroken('transport/memory.ts', text)).toEqual([]);
  });

  test.each([
    'export interface Clock { readonly process: number; setTimeout(): void }',
    'export type A = (at: Date) => Promise<void>;',
    'export const a = (input: { readonly performance: number }) => input.performance;',
    'export const a = Math.floor(Date.UTC(2020, 0, 1) / 1000);',
    `import { createHmac } from 'node:crypto'; export const a = createHmac;`,
  ])('has nothing against %s', (text) => {
    expect(rulesBroken('codec/frame.ts', text)).toEqual([]);
  });
});

describe('cycles', () => {
  test('between folders are caught, through types as well', () => {
    const violations = check({
      'packages/nats-adapter/src/names/subject.ts': `import type { A } from '../channel/channel.ts';`,
      'packages/nats-adapter/src/channel/channel.ts': `import { b } from '../names/subject.ts';`,
    });
    expect(violations.map((violation) => violation.rule)).toEqual(['cycle']);
  });

  test('between three files of one folder are caught', () => {
    const violations = check({
      [`${core}/paxos/a.ts`]: `import { b } from './b.ts';`,
      [`${core}/paxos/b.ts`]: `export * from './c.ts';`,
      [`${core}/paxos/c.ts`]: `import { a } from './a.ts';`,
    });
    expect(violations.map((violation) => violation.rule)).toEqual(['cycle']);
  });

  test('of types within one folder are allowed: nothing of them is left at run time', () => {
    const files = { [`${core}/paxos/a.ts`]: `import { b } from './b.ts';`, [`${core}/paxos/b.ts`]: `import type { a } from './a.ts';` };
    expect(check(files)).toEqual([]);
  });
});
