/** CommonJS: every door opens by `require`, and the quick start runs on one voter in memory. */
'use strict';
const assert = require('node:assert/strict');
const core = require('@quorate/core');
const doors = { '@quorate/core/machines': require('@quorate/core/machines'), '@quorate/core/adapter': require('@quorate/core/adapter') };
const adapters = {
  '@quorate/nats-adapter': require('@quorate/nats-adapter'),
  '@quorate/kafka-adapter': require('@quorate/kafka-adapter'),
  '@quorate/lmdb-store': require('@quorate/lmdb-store'),
};

for (const [name, door] of Object.entries({ '@quorate/core': core, ...doors, ...adapters })) {
  assert.ok(Object.keys(door).length > 0, `${name} exports nothing`);
}

async function main() {
  const quorate = await core.soloQuorate();
  const tokens = [];
  await quorate.lock('invoice:42').run(async ({ token, signal }) => {
    assert.equal(signal.aborted, false);
    tokens.push(token);
  });
  await quorate.lock('invoice:42').run(async ({ token }) => void tokens.push(token));
  assert.ok(tokens.length === 2 && tokens[1] > tokens[0], `tokens do not rise: ${tokens}`);
  await quorate.close({ timeoutMs: 1_000 });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
