/** Free ports of 127.0.0.1 and questions to what listens on them. */
import { connect, createServer } from 'node:net';

/**
 * Ports stay below 32768, where systems begin to hand out ports for outgoing connections: a client that keeps trying to
 * reconnect to a stopped broker could otherwise be given that very port and connect to itself.
 */
const lowestPort = 15_000;
const portsEnd = 32_000;

export async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 1_000) throw new Error('found no free ports on 127.0.0.1');
    const port = lowestPort + Math.floor(Math.random() * (portsEnd - lowestPort));
    if (await isFree(port)) ports.add(port);
  }
  return [...ports];
}

/** Resolves with the first line the server says (NATS greets, Kafka is silent), or with nothing when it stays silent. */
export function greeting(host: string, port: number, options: { readonly timeoutMs: number; readonly silent?: boolean }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let text = '';
    const end = (finish: () => void) => {
      socket.destroy();
      finish();
    };
    socket.setTimeout(options.timeoutMs, () =>
      end(() => reject(new Error(`${host}:${port} did not answer within ${options.timeoutMs} ms`))),
    );
    socket.once('error', (error) => end(() => reject(new Error(`${host}:${port} cannot be reached: ${describe(error)}`))));
    socket.once('connect', () => options.silent && end(() => resolve('')));
    socket.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      if (text.includes('\r\n')) end(() => resolve(text.slice(0, text.indexOf('\r\n'))));
    });
    socket.once('close', () => end(() => reject(new Error(`${host}:${port} hung up`))));
  });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

function describe(error: Error): string {
  return error.message || (error as NodeJS.ErrnoException).code || error.name;
}
