/** What a survivor leaves to the next process on its storage, where it finds its majority lost on its way out. The safety rule 15. */
import { memoryDisk } from '../../src/storage/memory.ts';
import { Engines, hasSession, next } from './engines.ts';

describe('a survivor that is leaving when it finds its majority lost', () => {
  const engines = new Engines();
  afterAll(() => engines.stop());

  it('keeps what the next founding has to be above, and goes on no more (3 voters, 2 of them restarted without memory)', async () => {
    const whenMajorityIsLost = 'refound' as const;
    const disk = memoryDisk();
    const [survivor, ...others] = await Promise.all([
      engines.start('a', { whenMajorityIsLost, storage: disk.open() }),
      ...['b', 'c'].map((node) => engines.start(node, { whenMajorityIsLost })),
    ]);
    await Promise.all([survivor, ...others].map(hasSession));
    const { founding } = survivor;
    // In the very turn in which it gives its seat up.
    const lost = next(survivor, 'majorityLost');
    let closing: Promise<unknown> | undefined;
    survivor.events$.subscribe(({ type }) => void (type === 'majorityLost' && (closing = survivor.close(0))));
    await Promise.all(others.map((engine) => engine.close(0)));
    await Promise.all(['b', 'c'].map((node) => engines.start(node, { whenMajorityIsLost })));
    await lost;
    await closing;
    const { identity, memory } = await disk.open().load(() => 'none');
    expect(identity.incarnation).not.toBe('none');
    expect(memory?.founder.inherits).toMatchObject({ founding });
  });
});
