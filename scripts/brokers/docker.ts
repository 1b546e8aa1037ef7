/** Brokers from the project's compose.yaml, where docker runs: each a compose project of its own on ports of its own. */
import { resolve } from 'node:path';
import type { BrokerNeeds, Found, Source } from './availability.ts';
import { brokerOf } from './broker.ts';
import type { Broker, BrokerMember } from './broker.ts';
import { findOnPath, runCommand } from './command.ts';
import { startKeeper } from './keeper.ts';
import { freePorts } from './ports.ts';

export type ServiceName = 'nats' | 'kafka';

export interface DockerFound extends Found {
  readonly source: 'docker';
}

export interface DockerOptions {
  /** The compose project of a broker that stays when this process ends, on the ports of compose.yaml. */
  readonly background?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export const composeFile = resolve(__dirname, '..', '..', 'compose.yaml');
/** The tags in compose.yaml. */
const versions: Record<ServiceName, string> = { nats: '2.15', kafka: '4.1.0' };
const defaultPorts: Record<ServiceName, number> = { nats: 4222, kafka: 9092 };
/** Long enough to pull an image. */
const upTimeoutMs = 5 * 60_000;

/** Passed over, and where docker runs that is said, for needs that a service of compose.yaml cannot meet. */
export function dockerSource(service: ServiceName, needs: BrokerNeeds): Source<DockerFound> {
  return {
    name: 'docker',
    find: async () => {
      if (!findOnPath('docker')) throw new Error('no docker on the PATH');
      await runCommand('docker', ['info'], { timeoutMs: 10_000 });
      await runCommand('docker', ['compose', 'version'], { timeoutMs: 10_000 });
      const unmet = unmetNeed(needs);
      if (unmet !== undefined) {
        process.stderr.write(`docker is passed over for ${service}: ${unmet}\n`);
        throw new Error(`passed over: ${unmet}`);
      }
      return { available: true, source: 'docker', detail: `service ${service} of compose.yaml`, version: versions[service] };
    },
  };
}

function unmetNeed({ own, cluster }: BrokerNeeds): string | undefined {
  if (cluster === 3) return 'its service is one server, and a cluster is asked for';
  if (own === 'process') return 'its service has a fixed configuration and no process id of this machine, and one of them is needed';
  return undefined;
}

export async function startDocker(service: ServiceName, options: DockerOptions): Promise<Broker> {
  const background = options.background !== undefined;
  const [free = 0] = await freePorts(1);
  const port = background ? defaultPorts[service] : free;
  const project = background ? `quorate-${service}` : `quorate-${service}-${port}`;
  const env = { ...options.env, [service === 'nats' ? 'QUORATE_NATS_PORT' : 'QUORATE_KAFKA_PORT']: String(port) };
  const compose = async (...args: string[]): Promise<void> => {
    await runCommand('docker', ['compose', '-f', composeFile, '-p', project, ...args], { env, timeoutMs: upTimeoutMs });
  };
  const keeper = background ? undefined : startKeeper(['docker', 'compose', '-f', composeFile, '-p', project, 'down', '-v']);
  const up = (): Promise<void> => compose('up', '-d', '--wait', service);
  const member: BrokerMember = {
    address: `127.0.0.1:${port}`,
    pid: undefined,
    start: up,
    stop: () => compose('stop', service),
    kill: () => compose('kill', '-s', 'SIGKILL', service),
    restart: async () => {
      await compose('stop', service);
      await up();
    },
  };
  const close = (): Promise<void> => (keeper ? keeper.finish() : compose('down', '-v'));
  await up().catch(async (error: unknown) => {
    await close().catch(() => undefined);
    throw error;
  });
  return brokerOf({ source: 'docker', version: versions[service], members: [member], dataDir: '', close });
}
