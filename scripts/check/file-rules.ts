/** What every file of the project keeps to, whatever is in it: an opening sentence, a bounded length, and nothing about the machine it was written on. */

export interface FileFault {
  readonly file: string;
  readonly message: string;
}

/** A file past this is usually two ideas. */
const linesMax = 400;

const machinePath = /(?:^|[\s'"`(=])(?:\/work\/|\/root\/|\/home\/[a-z]|\/tmp\/[a-z]|\/Users\/[a-z]|[A-Z]:\\Users\\)/m;
/** A lock file records names, versions and hashes; where they were fetched from is each user's own matter. */
const address = /https?:\/\/|\btarball:/;

export function checkFile(file: string, text: string): FileFault[] {
  const faults: FileFault[] = [];
  const fault = (message: string): void => void faults.push({ file, message });
  if (file.endsWith('.ts')) {
    const lines = text.split('\n').length - 1;
    if (!opensWithSentence(text)) fault('does not open with a comment that says what idea it is');
    if (lines > linesMax) fault(`has ${lines} lines, more than ${linesMax}`);
  }
  if (file.endsWith('pnpm-lock.yaml') && address.test(text)) fault('names an address that packages were fetched from');
  if (machinePath.test(text)) fault('names a folder of one particular machine');
  return faults;
}

function opensWithSentence(text: string): boolean {
  const opening = /^(?:#!.*\n)?\/\*\*([\s\S]*?)\*\//.exec(text);
  return opening !== null && /[.!?]/.test(opening[1] ?? '');
}
