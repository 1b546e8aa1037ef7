/** The packages as they are published: which there are, built, and packed into tarballs. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, root } from './tool.ts';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, unknown>>;
}

export interface Package {
  readonly folder: string;
  readonly manifest: Manifest;
}

export function publishedPackages(): Package[] {
  return readdirSync(join(root, 'packages'))
    .map((name) => join(root, 'packages', name))
    .map((folder) => ({ folder, manifest: readManifest(folder) }))
    .filter(({ manifest }) => !manifest.private);
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Resolves with the names of what was built. */
export async function buildPackages(): Promise<readonly string[]> {
  const packages = publishedPackages();
  await Promise.all(
    packages.map(async ({ folder, manifest }) => {
      const { code, output } = await capture('tsup', ['--silent'], { cwd: folder });
      if (code !== 0) throw new Error(`${manifest.name} does not build:\n${output}`);
    }),
  );
  return packages.map(({ manifest }) => manifest.name);
}

/** The tarball that `npm publish` would send, written to `target`. Only pnpm knows what `workspace:` stands for. */
export async function packPackage({ folder, manifest }: Package, target: string): Promise<string> {
  const [command, ...args] = pnpmCommand();
  const { code, output } = await capture(command, [...args, 'pack', '--pack-destination', target], { cwd: folder });
  if (code !== 0) throw new Error(`${manifest.name} cannot be packed:\n${output}`);
  return join(target, `${manifest.name.replace('@', '').replace('/', '-')}-${manifest.version}.tgz`);
}

/** The pnpm that runs us, which need not be on the PATH. */
function pnpmCommand(): readonly [string, ...string[]] {
  const running = process.env['npm_execpath'];
  return running?.includes('pnpm') ? [process.execPath, running] : ['npx', '--yes', 'pnpm@10.34.9'];
}
