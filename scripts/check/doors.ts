/** The doors of the packages as a stranger meets them: packed, installed by npm into an empty project, required and imported. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { faultsOfBuilt } from './built-rules.ts';
import { buildPackages, packPackage, publishedPackages } from './packages.ts';
import type { Manifest } from './packages.ts';
import { faultsOfInstalled, faultsOfManifest } from './dependency-rules.ts';
import type { InstalledPackage } from './dependency-rules.ts';
import { capture, root, runTool } from './tool.ts';

/** Run inside the empty project: each imports every door and follows the quick start. */
const quickstarts = ['quickstart.cjs', 'quickstart.mjs'];

export async function checkDoors(): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'quorate-doors-'));
  try {
    await buildPackages();
    const tarballs: string[] = [];
    for (const one of publishedPackages()) tarballs.push(await packPackage(one, folder));
    const faults: string[] = [];
    for (const tarball of tarballs) {
      faults.push(...(await runTool('publint', [tarball, '--strict'])));
      // In every way of resolving: Node 20 never resolves as Node 10 did, but a compiler set to CommonJS still does.
      faults.push(...(await runTool('attw', [tarball, '--no-emoji', '--format', 'ascii'])));
    }
    return [...faults, ...(await checkInstalled(folder, tarballs))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function checkInstalled(folder: string, tarballs: readonly string[]): Promise<readonly string[]> {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'stranger', version: '1.0.0', private: true }));
  const specifiers = tarballs.map((tarball) => `./${basename(tarball)}`);
  const env = withoutPnpm();
  const installed = await capture('npm', ['install', '--no-audit', '--no-fund', '--loglevel', 'error', ...specifiers], {
    cwd: folder,
    env,
  });
  if (installed.code !== 0) return [`npm cannot install the tarballs:\n${installed.output}`];
  const paths = publishedPackages().map(({ manifest }) => `node_modules/${manifest.name}`);
  const ours = paths.map((path) => readInstalled(folder, path));
  const faults = [
    ...ours.flatMap(faultsOfManifest),
    ...faultsOfInstalled(packagesInstalled(folder)),
    ...paths.flatMap((path) => builtFaultsIn(folder, path)),
  ];
  for (const quickstart of quickstarts) {
    copyFileSync(join(root, 'test', 'doors', quickstart), join(folder, quickstart));
    const { code, output } = await capture(process.execPath, [quickstart], { cwd: folder, env: { NODE_OPTIONS: '' } });
    if (code !== 0) faults.push(`${quickstart} failed in an empty project:\n${output}`);
  }
  return faults;
}

function builtFaultsIn(folder: string, path: string): readonly string[] {
  const files = readdirSync(join(folder, path, 'dist')).filter((file) => /\.m?js$/.test(file));
  if (files.length === 0) return [`${path} holds nothing that was built`];
  return files.flatMap((file) => faultsOfBuilt(`${path}/dist/${file}`, readFileSync(join(folder, path, 'dist', file), 'utf8')));
}

/** Everything that npm put there, by its own record. */
function packagesInstalled(folder: string): InstalledPackage[] {
  const record = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, object>>;
  };
  return Object.keys(record.packages).map((path) => ({
    manifest: readInstalled(folder, path),
    buildsNativeCode: existsSync(join(folder, path, 'binding.gyp')),
  }));
}

function readInstalled(folder: string, path: string): Manifest {
  return JSON.parse(readFileSync(join(folder, path, 'package.json'), 'utf8')) as Manifest;
}

/** What pnpm tells its scripts through the environment would configure the npm of the stranger too. */
function withoutPnpm(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) => /^(?:npm_config_(?!registry|cache|userconfig)|npm_package_|pnpm_)/i.test(name));
  return Object.fromEntries(names.map((name) => [name, '']));
}
