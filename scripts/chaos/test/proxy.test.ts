/** The wire between a process and its broker: whole when nothing is wrong, and hurt in exactly the way that was asked for. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { Proxy } from '../proxy.ts';

/** A server that answers each chunk with what it heard so far. */
class EchoServer {
  readonly heard: string[] = [];
  private readonly sockets = new Set<Socket>();
  private readonly watchers = new Set<() => void>();
  private readonly server: Server = createServer((socket) => {
    this.sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.setEncoding('utf8').on('data', (text: string) => {
      this.heard.push(text);
      for (const watch of this.watchers) watch();
      socket.write(`echo of ${text}`);
    });
  });

  async open(): Promise<number> {
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  async whenHeard(text: string): Promise<void> {
    if (this.heard.includes(text)) return;
    await new Promise<void>((resolve) => this.watchers.add(() => this.heard.includes(text) && resolve()));
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }
}

/** Collects what comes, and awaits what is to come. */
class Client {
  text = '';
  readonly socket: Socket;
  private readonly watchers = new Set<() => void>();

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.on('error', () => this.socket.destroy());
    this.socket.setEncoding('utf8').on('data', (text: string) => {
      this.text += text;
      for (const watch of this.watchers) watch();
    });
  }

  async until(wanted: string): Promise<void> {
    if (this.text.includes(wanted)) return;
    await new Promise<void>((resolve) => this.watchers.add(() => this.text.includes(wanted) && resolve()));
  }
}

/** However it ends: a reset is one way. */
function end(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('a proxy', () => {
  const server = new EchoServer();
  const clients: Client[] = [];
  let brokerPort: number;
  let proxy: Proxy;

  beforeAll(async () => void (brokerPort = await server.open()));
  beforeEach(async () => void (proxy = await Proxy.open(brokerPort)));
  afterEach(() => {
    proxy.close();
    for (const { socket } of clients.splice(0)) socket.destroy();
    server.heard.length = 0;
  });
  afterAll(() => server.close());

  function client(): Client {
    const made = new Client(proxy.port);
    clients.push(made);
    return made;
  }

  async function greeted(): Promise<Client> {
    const one = client();
    one.socket.write('hello');
    await one.until('echo of hello');
    return one;
  }

  test('hands bytes on in both directions (1 connection)', async () => {
    const one = await greeted();
    expect(server.heard).toEqual(['hello']);
    expect(proxy.connections).toBe(1);
    one.socket.destroy();
    await end(one.socket);
  });

  test('cut towards the broker: nothing is heard there, and all of it once it is healed (2 connections)', async () => {
    const [one, witness] = [await greeted(), new Client(brokerPort)];
    clients.push(witness);
    proxy.set('toBroker', { cut: true });
    one.socket.write('lost?');
    witness.socket.write('still here');
    await witness.until('echo of still here');
    expect(server.heard).not.toContain('lost?');
    proxy.heal();
    await one.until('echo of lost?');
  });

  test('cut towards the process: the broker hears, and its answers come once it is healed (1 connection)', async () => {
    const one = await greeted();
    proxy.set('toProcess', { cut: true });
    one.socket.write('question');
    await server.whenHeard('question');
    expect(one.text).toBe('echo of hello');
    proxy.heal();
    await one.until('echo of question');
  });

  test('slow: bytes come late, and at once and in order when it is healed (2 connections)', async () => {
    const [one, witness] = [await greeted(), new Client(brokerPort)];
    clients.push(witness);
    proxy.set('toBroker', { delayMs: 600_000 });
    for (const word of ['a', 'b', 'c']) one.socket.write(word);
    witness.socket.write('still here');
    await witness.until('echo of still here');
    expect(server.heard.join('')).not.toContain('a');
    proxy.heal();
    one.socket.write('d');
    await one.until('d');
    expect(server.heard.join('').replace('still here', '')).toBe('helloabcd');
  });

  test('throttled: every byte comes, in order (1 connection)', async () => {
    const one = await greeted();
    proxy.set('toBroker', { delayMs: 2, bytesPerSecond: 50_000 });
    const words = Array.from({ length: 200 }, (_, index) => `${index},`);
    for (const word of words) one.socket.write(word);
    one.socket.write('end');
    await one.until('end');
    expect(server.heard.join('')).toBe(`hello${words.join('')}end`);
  });

  test('dropped: the connection ends, and the next is served (2 connections)', async () => {
    const one = await greeted();
    const closed = end(one.socket);
    proxy.drop();
    await closed;
    await greeted();
  });

  test('refusing: neither old nor new connections live until it is healed (3 connections)', async () => {
    const one = await greeted();
    const closed = end(one.socket);
    proxy.refuse();
    await closed;
    const refused = client();
    await end(refused.socket);
    expect(refused.text).toBe('');
    proxy.heal();
    await greeted();
  });

  test('to a broker that is down: ends the connection (1 connection)', async () => {
    const dead = new EchoServer();
    const port = await dead.open();
    dead.close();
    const toNowhere = await Proxy.open(port);
    const one = new Client(toNowhere.port);
    await end(one.socket);
    toNowhere.close();
  });

  test('hands on the end of a connection, after its last bytes (1 connection)', async () => {
    const one = await greeted();
    proxy.set('toProcess', { cut: true });
    one.socket.write('last');
    await server.whenHeard('last');
    const closed = end(one.socket);
    server.close();
    proxy.heal();
    await closed;
    expect(one.text).toContain('echo of last');
  });
});
