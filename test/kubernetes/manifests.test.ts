/** The manifests beside example 15 agree with the example, with one another, and with what `docs/operations.md` says of them. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { closeTimeoutMs } from '../../scripts/chaos/going.ts';
import { manifest, minReady } from '../../scripts/chaos/rollout/deployment.ts';

const root = resolve(__dirname, '..', '..');
const example = join(root, 'examples', '15-readiness');

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string | number };
}

interface Container {
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly env: readonly {
    readonly name: string;
    readonly value?: string;
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } };
  }[];
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
  readonly lifecycle: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } };
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Workload {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly replicas: number;
    readonly podManagementPolicy?: string;
    readonly minReadySeconds?: number;
    readonly strategy?: { readonly rollingUpdate: { readonly maxSurge: number; readonly maxUnavailable: number } };
    readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly [Container] };
    };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

interface Budget {
  readonly kind: string;
  readonly spec: { readonly maxUnavailable: number; readonly selector: { readonly matchLabels: Readonly<Record<string, string>> } };
}

function documents(file: string): readonly unknown[] {
  const parsed = parseAllDocuments(readFileSync(join(example, 'kubernetes', file), 'utf8'));
  return parsed.map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS() as unknown;
  });
}

const [statefulSet, budget] = documents('voters.yaml') as [Workload, Budget];
const [deployment] = documents('workers.yaml') as [Workload];
const [counted, countedBudget] = documents('counted.yaml') as [Workload, Budget];

function containerOf({ spec }: Workload): Container {
  return spec.template.spec.containers[0];
}

function valueOf(workload: Workload, name: string): string {
  return containerOf(workload).env.find((one) => one.name === name)?.value ?? '';
}

test('the voters are the names that the StatefulSet gives its pods, in every manifest, and as many as it has', () => {
  const { metadata, spec } = statefulSet;
  const names = Array.from({ length: spec.replicas }, (_, index) => `${metadata.name}-${index}`);
  expect(statefulSet.kind).toBe('StatefulSet');
  expect(valueOf(statefulSet, 'VOTERS').split(',')).toEqual(names);
  expect(valueOf(deployment, 'VOTERS').split(',')).toEqual(names);
  expect(names.length % 2).toBe(1);
  expect(deployment.kind).toBe('Deployment');
  expect(names.some((name) => name.startsWith(`${deployment.metadata.name}-`))).toBe(false);
});

test('all voters start together, wait until the one before votes again, and lose one at a time to drains', () => {
  // Four election timeouts on NATS, whose default is 500 ms.
  const votesAgainAfterSeconds = 2;
  expect(statefulSet.spec.podManagementPolicy).toBe('Parallel');
  expect(statefulSet.spec.minReadySeconds).toBeGreaterThan(votesAgainAfterSeconds);
  expect(budget).toMatchObject({ kind: 'PodDisruptionBudget', spec: { maxUnavailable: 1 } });
  expect(budget.spec.selector).toEqual(statefulSet.spec.selector);
});

describe.each([
  ['StatefulSet', statefulSet],
  ['Deployment of clients', deployment],
  ['Deployment that is counted', counted],
])('the %s', (_kind, workload) => {
  const container = containerOf(workload);
  const pod = workload.spec.template;

  it('selects its own pods and names each by its own name', () => {
    expect(pod.metadata.labels).toEqual(workload.spec.selector.matchLabels);
    expect(container.env.find(({ name }) => name === 'POD_NAME')?.valueFrom?.fieldRef.fieldPath).toBe('metadata.name');
  });

  it('probes what the example serves, on the port that it is told', () => {
    const health = readFileSync(join(example, 'health.ts'), 'utf8');
    const port = container.ports.find(({ name }) => name === 'health')?.containerPort;
    expect(valueOf(workload, 'HEALTH_PORT')).toBe(String(port));
    for (const [probe, path] of [
      [container.readinessProbe, '/ready'],
      [container.livenessProbe, '/live'],
    ] as const) {
      expect(probe.httpGet).toEqual({ path, port: 'health' });
      expect(health).toContain(`'${path}'`);
    }
  });

  it('gives a pod more time to stop than its hook and `close` take together', () => {
    const hookSeconds = Number(container.lifecycle.preStop.exec.command[1]);
    const closeSeconds = Number(valueOf(workload, 'CLOSE_TIMEOUT_MS')) / 1_000;
    expect(hookSeconds + closeSeconds).toBeGreaterThan(0);
    expect(pod.spec.terminationGracePeriodSeconds).toBeGreaterThan(hookSeconds + closeSeconds);
  });

  it('sets what the example reads, and nothing else', () => {
    const read = /const \{ ([^}]*) \} = process\.env/.exec(readFileSync(join(example, 'pod.ts'), 'utf8'))?.[1] ?? '';
    const known = read.split(',').map((one) => one.split('=')[0]?.trim());
    for (const { name } of container.env) expect(known).toContain(name);
    const optional = [...(workload.kind === 'Deployment' ? ['STORE'] : []), workload === counted ? 'VOTERS' : 'VOTERS_COUNT'];
    expect([...container.env.map(({ name }) => name), ...optional].sort()).toEqual([...known].sort());
  });
});

test('a voter keeps its memory on a volume of its own, and a worker keeps none', () => {
  const [claim] = statefulSet.spec.volumeClaimTemplates ?? [];
  const mount = containerOf(statefulSet).volumeMounts?.find(({ name }) => name === claim?.metadata.name);
  expect(valueOf(statefulSet, 'STORE').startsWith(`${mount?.mountPath ?? 'nowhere'}/`)).toBe(true);
  expect(valueOf(deployment, 'STORE')).toBe('');
});

test('a Deployment that is counted has more pods than voters, an odd number of those, and loses none before its next is ready', () => {
  const count = Number(valueOf(counted, 'VOTERS_COUNT'));
  expect(count % 2).toBe(1);
  expect(counted.kind).toBe('Deployment');
  expect(counted.spec.replicas).toBeGreaterThan(count);
  expect(counted.spec.strategy?.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
  expect(valueOf(counted, 'VOTERS')).toBe('');
  expect(countedBudget).toMatchObject({ kind: 'PodDisruptionBudget', spec: { maxUnavailable: 1 } });
  expect(countedBudget.spec.selector).toEqual(counted.spec.selector);
});

test('chaos replaces pods as the Deployment that is counted has it: as many, as slowly, and with as much time to go', () => {
  const container = containerOf(counted);
  const preStopSeconds = Number(container.lifecycle.preStop.exec.command[1]);
  expect(manifest).toEqual({
    replicas: counted.spec.replicas,
    voters: Number(valueOf(counted, 'VOTERS_COUNT')),
    graceSeconds: counted.spec.template.spec.terminationGracePeriodSeconds,
    preStopSeconds,
  });
  expect(String(closeTimeoutMs)).toBe(valueOf(counted, 'CLOSE_TIMEOUT_MS'));
  expect(minReady.nats.seconds).toBe(counted.spec.minReadySeconds);
  const said = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
  expect(said).toContain(`\`minReadySeconds: ${minReady.nats.seconds}\``);
  expect(said).toContain(`set ${minReady.kafka.seconds} there`);
});
