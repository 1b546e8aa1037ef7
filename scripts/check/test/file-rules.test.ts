/** Each rule for files catches a file that breaks it. */
import { checkFile } from '../file-rules.ts';

const opening = '/** One idea. */\n';

function faults(file: string, text: string): readonly string[] {
  return checkFile(file, text).map((fault) => fault.message);
}

describe('rules for files', () => {
  test('are content with a short file that says what it is', () => {
    expect(faults('a.ts', `${opening}export const a = 1;\n`)).toEqual([]);
  });

  test('catch a file without an opening sentence', () => {
    expect(faults('a.ts', 'export const a = 1;\n')).toHaveLength(1);
    expect(faults('a.ts', '/** */\nexport const a = 1;\n')).toHaveLength(1);
    expect(faults('a.ts', '// One idea.\nexport const a = 1;\n')).toHaveLength(1);
  });

  test('allow 400 lines and catch 401', () => {
    expect(faults('a.ts', opening + '\n'.repeat(399))).toEqual([]);
    expect(faults('a.ts', opening + '\n'.repeat(400))).toHaveLength(1);
  });

  test('catch an address in the lock file', () => {
    expect(faults('pnpm-lock.yaml', 'resolution: {integrity: sha512-a}\n')).toEqual([]);
    expect(faults('pnpm-lock.yaml', 'resolution: {tarball: https://registry.example/a.tgz}\n')).toHaveLength(1);
  });

  test('catch the folders of one machine and leave ordinary paths alone', () => {
    const home = ['', 'home', 'ann', 'quorate'].join('/');
    expect(faults('a.md', `See \`${home}\`.\n`)).toHaveLength(1);
    expect(faults('a.md', 'See `docs/work/a.md`, /proc/1 and https://example.com/home/x.\n')).toEqual([]);
  });
});
