/** How much a user takes in with us: few packages, each named here, and none that runs code while it is installed. */
import type { Manifest } from './packages.ts';

export interface InstalledPackage {
  readonly manifest: Manifest;
  /** npm builds such a package even when it declares no script. */
  readonly buildsNativeCode: boolean;
}

/** A new one is a decision, and this list is where it shows. */
const runtimeDependencies: Readonly<Record<string, readonly string[]>> = {
  '@quorate/core': ['@msgpack/msgpack'],
  '@quorate/nats-adapter': ['@quorate/core'],
  '@quorate/kafka-adapter': ['@quorate/core'],
  '@quorate/lmdb-store': ['@quorate/core'],
};
/** What the peer `rxjs` brings. */
const broughtByPeers: readonly string[] = ['rxjs', 'tslib'];
/**
 * The peer `lmdb` and what it brings, taken as they are by whoever wants a store on disk. Its install script builds only where no prebuilt
 * binary fits, and with `--ignore-scripts` the prebuilt one is used all the same. `docs/decisions/0013-local-store.md`.
 */
const takenAsTheyAre =
  /^(lmdb|@lmdb\/.*|msgpackr|msgpackr-extract|@msgpackr-extract\/.*|node-addon-api|node-gyp-build-optional-packages|detect-libc|ordered-binary|weak-lru-cache|@harperfast\/extended-iterable)$/;
const installScripts: readonly string[] = ['preinstall', 'install', 'postinstall'];

export function faultsOfManifest(manifest: Manifest): string[] {
  const allowed = runtimeDependencies[manifest.name] ?? [];
  const named = Object.entries(manifest.dependencies ?? {});
  return named.flatMap(([name, range]) => [
    ...(allowed.includes(name) ? [] : [`${manifest.name} depends on ${name}, which dependency-rules.ts does not list`]),
    ...(range.startsWith('workspace:') ? [`${manifest.name} was packed with ${name} as ${range}, which npm cannot read`] : []),
  ]);
}

export function faultsOfInstalled(installed: readonly InstalledPackage[]): string[] {
  const known = new Set([...Object.keys(runtimeDependencies), ...Object.values(runtimeDependencies).flat(), ...broughtByPeers]);
  const ours = installed.filter(({ manifest }) => !takenAsTheyAre.test(manifest.name));
  return ours.flatMap(({ manifest, buildsNativeCode }) => {
    const scripts = installScripts.filter((name) => manifest.scripts?.[name] !== undefined);
    return [
      ...(known.has(manifest.name) ? [] : [`${manifest.name} is installed with us, and dependency-rules.ts does not list it`]),
      ...scripts.map((name) => `${manifest.name} has the install script \`${name}\``),
      ...(buildsNativeCode ? [`${manifest.name} builds native code while it is installed`] : []),
    ];
  });
}
