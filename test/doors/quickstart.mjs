/** ES modules: every door opens by `import` with its names, and the quick start runs on one voter in memory. */
import assert from 'node:assert/strict';
import { QuorateError, soloQuorate } from '@quorate/core';
import * as machines from '@quorate/core/machines';
import * as adapter from '@quorate/core/adapter';
import * as kafka from '@quorate/kafka-adapter';
import * as lmdb from '@quorate/lmdb-store';
import * as nats from '@quorate/nats-adapter';

for (const [name, door] of Object.entries({ machines, adapter, kafka, lmdb, nats })) {
  assert.ok(Object.keys(door).length > 0, `${name} exports nothing`);
}
assert.equal(typeof QuorateError, 'function');

const quorate = await soloQuorate();
const tokens = [];
await quorate.lock('invoice:42').run(async ({ token, signal }) => {
  assert.equal(signal.aborted, false);
  tokens.push(token);
});
await quorate.lock('invoice:42').run(async ({ token }) => void tokens.push(token));
assert.ok(tokens.length === 2 && tokens[1] > tokens[0], `tokens do not rise: ${tokens}`);
await quorate.close({ timeoutMs: 1_000 });
