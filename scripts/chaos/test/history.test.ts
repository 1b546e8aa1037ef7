/** The history: each call is on file before it is made, and what a killed process left is read as what it is. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HistoryRecorder, joinParts, linesOf, mergeHistory } from '../history.ts';

describe('a history', () => {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-history-'));
  let files = 0;
  afterAll(() => rmSync(folder, { recursive: true }));

  function recorder(process = 'v1'): { readonly file: string; readonly recorder: HistoryRecorder } {
    const file = join(folder, `${++files}.jsonl`);
    return { file, recorder: new HistoryRecorder(file, { process, group: 'g' }) };
  }

  test('has one line for an operation, with all that the checker reads (1 process)', () => {
    const { file, recorder: writer } = recorder();
    writer.begin({ op: 'acquire', key: 'x' }).end({ ok: true, token: 5, validUntil: 9, queuedAt: 7 });
    const [line] = mergeHistory([file]);
    expect(line).toEqual({
      ...{ process: 'v1', group: 'g', op: 'acquire', key: 'x', token: 5, value: null, ok: true, error: null, validUntil: 9, queuedAt: 7 },
      ...{ call: expect.any(Number) as number, return: expect.any(Number) as number },
    });
    expect(line?.return).toBeGreaterThanOrEqual(line?.call ?? Infinity);
    writer.close();
  });

  test('has the call on file before anything else happens (1 process)', () => {
    const { file, recorder: writer } = recorder();
    writer.begin({ op: 'write', key: 'x', token: 5, value: 6 });
    expect(mergeHistory([file])).toMatchObject([{ op: 'write', token: 5, value: 6, return: null, ok: null }]);
    writer.close();
  });

  test('keeps a call whose outcome was cut short, as unknown (1 process)', () => {
    const { file, recorder: writer } = recorder();
    writer.begin({ op: 'write', key: 'x', token: 5, value: 6 });
    writer.close();
    appendFileSync(file, '{"id":1,"ok":true,"ret');
    expect(mergeHistory([file])).toMatchObject([{ op: 'write', return: null, ok: null }]);
  });

  test('knows nothing of a call that was cut short itself', () => {
    expect(joinParts('{"id":1,"process":"v1","op":"wri')).toEqual([]);
  });

  test('tells a moment as an operation that begins and ends at once (1 process)', () => {
    const { file, recorder: writer } = recorder();
    writer.moment({ op: 'lost', key: 'x', token: 5 });
    const [line] = mergeHistory([file]);
    expect(line).toMatchObject({ op: 'lost', token: 5, ok: true });
    expect(line?.return).toBe(line?.call);
    writer.close();
  });

  test('is in the order of calls, whoever made them, and without what was never written (2 processes)', () => {
    const [one, other] = [recorder('v1'), recorder('v2')];
    for (const [index, { recorder: writer }] of [one, other, one].entries())
      writer.begin({ op: 'read', key: 'x', token: index }).end({ ok: true });
    const history = mergeHistory([other.file, one.file, join(folder, 'nothing')]);
    expect(history.map(({ process, token }) => [process, token])).toEqual([
      ['v1', 0],
      ['v2', 1],
      ['v1', 2],
    ]);
    expect(linesOf(history).trim().split('\n')).toHaveLength(3);
    one.recorder.close();
    other.recorder.close();
  });

  test('writes times as whole numbers, which a reader of 64-bit integers takes (1 process)', () => {
    const { file, recorder: writer } = recorder();
    writer.begin({ op: 'read', key: 'x' }).end({ ok: true });
    expect(readFileSync(file, 'utf8')).toMatch(/"call":\d+[,}]/);
    writer.close();
  });
});
