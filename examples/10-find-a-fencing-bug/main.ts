/**
 * A fencing bug found without a cluster: your own handler, under crashes, stops, cuts and slow links, in virtual time. The first bank
 * trusts the lock alone; a holder that stood still beyond its lease writes over its successor. The second one checks the token, from
 * the reading on: a fence that rises only with the write lets an older holder write between its successor's reading and writing.
 */
import { simulate } from '@quorate/core/simulation';

class Bank {
  balance = 100;
  booked = 100;
  fence = 0;

  constructor(private readonly checksTokens: boolean) {}

  read(token: number): number {
    this.fence = Math.max(this.fence, token);
    return this.balance;
  }

  write(balance: number, token: number): void {
    if (this.checksTokens && token < this.fence) return;
    this.booked += 1;
    this.balance = balance;
  }
}

const deposits = (checksTokens: boolean, seeds: number) =>
  simulate({
    seeds,
    setup: () => new Bank(checksTokens),
    program: async (node) => {
      while (node.isRunning) {
        await node.quorate.lock('account').run(async ({ token }) => {
          const balance = node.state.read(token);
          await node.sleep(40); // the work between reading and writing
          node.state.write(balance + 1, token);
        });
      }
    },
    invariant: ({ balance, booked }) => (balance === booked ? null : `${booked - balance} of ${booked - 100} deposits were lost`),
  });

async function main(): Promise<void> {
  const { failure } = await deposits(false, 1_000); // ends with the first that fails
  console.log(`without a look at the token, seed ${failure?.seed}: ${failure?.what}`);
  console.log(`its story has ${failure?.story.length} lines and ends with:`);
  for (const line of failure?.story.slice(-4) ?? []) console.log(line.trim());
  const checked = await deposits(true, 60);
  console.log(`with it, ${checked.seeds} seeds: ${checked.failure?.what ?? 'no deposit was lost'}`);
}

void main();
