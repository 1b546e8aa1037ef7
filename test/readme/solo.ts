/** A group of one, as the README of the core package shows it below this line. */
import { soloQuorate } from '@quorate/core';

async function main(): Promise<void> {
  const quorate = await soloQuorate(); // a group of one in memory, for laptops and unit tests
  await quorate.lock('invoice:42').run(({ token, signal }) => {
    console.log(`held under ${token}`, signal.aborted);
  });
  await quorate.close();
}

void main();
