/** Where a broker comes from: in the stated order, with every reason kept when there is none. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { kafkaAvailable, kafkaBroker, natsAvailable, natsBroker } from '../index.ts';

const names = ['PATH', 'QUORATE_CACHE', 'QUORATE_NATS_URL', 'QUORATE_KAFKA_BROKERS', 'JAVA_HOME'];
const fakeGo = 'printf \'#!/bin/sh\\necho "nats-server: v2.15.2"\\n\' > "$GOBIN/nats-server"; /bin/chmod +x "$GOBIN/nats-server"';

describe('sources of a broker', () => {
  const before = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  let folder = '';
  let server: Server | undefined;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'quorate-path-'));
    // Nothing of the machine's own: no go, no maven, no docker, nothing fetched.
    process.env['PATH'] = folder;
    for (const tool of ['go', 'mvn', 'java', 'docker']) program(tool, 'echo "not here" >&2; exit 1');
    process.env['QUORATE_CACHE'] = join(folder, 'cache');
    for (const name of ['QUORATE_NATS_URL', 'QUORATE_KAFKA_BROKERS', 'JAVA_HOME']) delete process.env[name];
  });

  afterEach(async () => {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    const open = server;
    server = undefined;
    if (open) await new Promise((resolve) => open.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  });

  function program(name: string, script: string): void {
    writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }

  async function listen(greeting: string): Promise<string> {
    const listening = createServer((socket) => socket.on('error', () => undefined).end(greeting));
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(listening.address() as AddressInfo).port}`;
  }

  test('an address comes before everything else, with the version that the server says', async () => {
    program('nats-server', 'echo "nats-server: v2.11.0"');
    process.env['QUORATE_NATS_URL'] = `nats://${await listen('INFO {"version":"2.12.3"}\r\n')}`;
    expect(await natsAvailable()).toMatchObject({ available: true, source: 'address', version: '2.12.3' });
  });

  test('an address that cannot be reached is final: the mistake is not hidden by another source', async () => {
    program('nats-server', 'echo "nats-server: v2.11.0"');
    process.env['QUORATE_NATS_URL'] = 'nats://127.0.0.1:1';
    process.env['QUORATE_KAFKA_BROKERS'] = '127.0.0.1:1';
    expect(await natsAvailable()).toMatchObject({ available: false, reasons: [expect.stringContaining('QUORATE_NATS_URL is set')] });
    expect(await kafkaAvailable()).toMatchObject({ available: false, reasons: [expect.stringContaining('QUORATE_KAFKA_BROKERS is set')] });
  });

  test('a suite that wants a broker of its own, or three, passes over the address', async () => {
    program('nats-server', 'echo "nats-server: v2.11.0"');
    process.env['QUORATE_NATS_URL'] = `nats://${await listen('INFO {"version":"2.12.3"}\r\n')}`;
    expect(await natsAvailable({ own: true })).toMatchObject({ source: 'path', version: '2.11.0' });
    expect(await natsAvailable({ cluster: 3 })).toMatchObject({ source: 'path', version: '2.11.0' });
  });

  test('the PATH comes before docker', async () => {
    program('nats-server', 'echo "nats-server: v2.11.0"');
    program('kafka-server-start.sh', 'echo "4.0.1 (Commit:x)"');
    program('kafka-storage.sh', 'exit 0');
    program('docker', 'exit 0');
    expect(await natsAvailable()).toMatchObject({ available: true, source: 'path', version: '2.11.0' });
    expect(await kafkaAvailable()).toMatchObject({ available: true, source: 'path', version: '4.0.1' });
  });

  test('docker counts where it runs, and not for a cluster', async () => {
    program('docker', 'exit 0');
    expect(await natsAvailable()).toMatchObject({ available: true, source: 'docker' });
    expect(await kafkaAvailable()).toMatchObject({ available: true, source: 'docker' });
    expect(await natsAvailable({ cluster: 3 })).toMatchObject({ available: false });
  });

  test('docker is passed over, and that is said, for what it cannot do: a process id, a configuration, three servers', async () => {
    program('docker', 'exit 0');
    program('go', fakeGo);
    const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      expect(await natsAvailable({ own: true })).toMatchObject({ source: 'docker' });
      expect(said).not.toHaveBeenCalled();
      for (const needs of [{ own: 'process' }, { cluster: 3 }] as const) {
        expect(await natsAvailable(needs)).toMatchObject({ source: 'fetched' });
        expect(said).toHaveBeenLastCalledWith(expect.stringMatching(/^docker is passed over for nats: its service .+\n$/));
        expect(await kafkaAvailable(needs)).toMatchObject({ reasons: expect.arrayContaining([expect.stringMatching(/^docker: passed over: its service/)]) as string[] }); // prettier-ignore
      }
    } finally {
      said.mockRestore();
    }
  });

  test('docker is never given a configuration that it would drop: another source is taken, or the broker is refused', async () => {
    program('docker', `echo "$@" >> ${join(folder, 'asked')}`);
    const said = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
    try {
      await expect(natsBroker({ own: true, config: 'max_payload: 1024' })).rejects.toThrow('docker: passed over');
      await expect(natsBroker({ own: true, cluster: 3 })).rejects.toThrow('docker: passed over');
      await expect(kafkaBroker({ own: true, properties: { 'message.max.bytes': '1024' } })).rejects.toThrow('docker: passed over');
      expect(readFileSync(join(folder, 'asked'), 'utf8')).not.toContain(' up ');
      const broker = await natsBroker({ own: true });
      expect(broker.source).toBe('docker');
      await broker.close();
      expect(readFileSync(join(folder, 'asked'), 'utf8')).toContain('up -d --wait nats');
    } finally {
      said.mockRestore();
    }
  });

  test('is fetched with go when nothing else is there', async () => {
    program('go', fakeGo);
    expect(await natsAvailable({ fetch: false })).toMatchObject({ available: false });
    expect(await natsAvailable()).toMatchObject({ available: true, source: 'fetched', version: '2.15.2' });
    expect(await natsAvailable({ fetch: false })).toMatchObject({ available: true, source: 'fetched' });
  });

  test('where nothing helps each source gives its reason', async () => {
    const nats = await natsAvailable();
    const kafka = await kafkaAvailable();
    expect(nats).toMatchObject({ available: false });
    for (const found of [nats, kafka]) {
      const reasons = found.available ? [] : found.reasons;
      expect(reasons.map((reason) => reason.split(':')[0])).toEqual(['path', 'docker', 'fetched']);
    }
  });
});
