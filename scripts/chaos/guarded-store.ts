/**
 * What the locks protect: a register for each, in a store that refuses a token lower than one it has seen, and beside it the same
 * register in a store that takes whatever comes. The second shows that the first has something to refuse.
 */
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

export interface WriteRequest {
  readonly key: string;
  readonly token: number;
  readonly value: number;
}

export class GuardedStore {
  private readonly guarded = new Map<string, { readonly token: number; readonly value: number }>();
  private readonly unguarded = new Map<string, { readonly token: number; readonly value: number }>();
  private readonly highest = new Map<string, number>();
  /** Writes that came with a token lower than one seen before, and were refused. */
  staleWritesRefused = 0;
  /** Values of a later holder that an earlier one wrote over, in the store beside it. */
  unguardedStaleWrites = 0;

  /** True if the guarded store took it. */
  write({ key, token, value }: WriteRequest): boolean {
    const overwritten = this.unguarded.get(key);
    if (overwritten && overwritten.token > token) this.unguardedStaleWrites += 1;
    this.unguarded.set(key, { token, value });
    this.highest.set(key, Math.max(this.highest.get(key) ?? 0, token));
    const stored = this.guarded.get(key);
    if (stored && token < stored.token) {
      this.staleWritesRefused += 1;
      return false;
    }
    this.guarded.set(key, { token, value });
    return true;
  }

  /** Whether somebody has written under a later grant. */
  hasNewer({ key, token }: Pick<WriteRequest, 'key' | 'token'>): boolean {
    return (this.highest.get(key) ?? 0) > token;
  }

  read(key: string): number | null {
    return this.guarded.get(key)?.value ?? null;
  }

  /** The registers of an episode are not asked for again. */
  forget(): void {
    this.guarded.clear();
    this.unguarded.clear();
    this.highest.clear();
  }
}

/** `{"id",…}` a line either way. */
type Request = { readonly id: number } & (({ readonly op: 'write' } & WriteRequest) | { readonly op: 'read'; readonly key: string });

interface Reply {
  readonly id: number;
  readonly accepted?: boolean;
  readonly value?: number | null;
}

export interface StoreServer {
  readonly port: number;
  close(): void;
}

/** Serves the store to other processes, over connections that no nemesis touches. */
export function serveStore(store: GuardedStore): Promise<StoreServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    onLines(socket, (line) => {
      const request = JSON.parse(line) as Request;
      const reply: Reply =
        request.op === 'write' ? { id: request.id, accepted: store.write(request) } : { id: request.id, value: store.read(request.key) };
      socket.write(`${JSON.stringify(reply)}\n`);
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      const close = (): void => {
        server.close();
        for (const socket of sockets) socket.destroy();
      };
      resolve({ port, close });
    });
  });
}

/** A process's way to the store. */
export class StoreClient {
  private readonly socket: Socket;
  private readonly asked = new Map<number, { resolve(reply: Reply): void; reject(error: Error): void }>();
  private nextId = 1;

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.setNoDelay(true);
    this.socket.on('error', () => this.socket.destroy());
    this.socket.once('close', () => {
      for (const { reject } of this.asked.values()) reject(new Error('the store hung up'));
      this.asked.clear();
    });
    onLines(this.socket, (line) => {
      const reply = JSON.parse(line) as Reply;
      this.asked.get(reply.id)?.resolve(reply);
      this.asked.delete(reply.id);
    });
  }

  async write(request: WriteRequest): Promise<boolean> {
    return (await this.ask({ op: 'write', ...request })).accepted === true;
  }

  async read(key: string): Promise<number | null> {
    return (await this.ask({ op: 'read', key })).value ?? null;
  }

  close(): void {
    this.socket.destroy();
  }

  private ask(request: object): Promise<Reply> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      this.asked.set(id, { resolve, reject });
      this.socket.write(`${JSON.stringify({ id, ...request })}\n`);
    });
  }
}

function onLines(socket: Socket, take: (line: string) => void): void {
  let rest = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}
