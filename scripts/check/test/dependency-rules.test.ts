/** Each rule for dependencies catches what breaks it. */
import { faultsOfInstalled, faultsOfManifest } from '../dependency-rules.ts';

const version = '1.0.0';
const buildsNativeCode = false;

describe('rules for dependencies', () => {
  test('are content with what is listed', () => {
    expect(faultsOfManifest({ name: '@quorate/core', version, dependencies: { '@msgpack/msgpack': '^3.1.3' } })).toEqual([]);
    expect(faultsOfInstalled([{ manifest: { name: 'rxjs', version, scripts: { test: 'x' } }, buildsNativeCode }])).toEqual([]);
  });

  test('catch a dependency that nobody listed', () => {
    expect(faultsOfManifest({ name: '@quorate/core', version, dependencies: { lodash: '^4.0.0' } })).toHaveLength(1);
  });

  test('catch a range that only the workspace understands', () => {
    expect(faultsOfManifest({ name: '@quorate/nats-adapter', version, dependencies: { '@quorate/core': 'workspace:^' } })).toHaveLength(1);
  });

  test('catch a package that came along with another', () => {
    expect(faultsOfInstalled([{ manifest: { name: 'lodash', version }, buildsNativeCode }])).toHaveLength(1);
  });

  test.each(['preinstall', 'install', 'postinstall'])('catch the install script %s', (script) => {
    expect(faultsOfInstalled([{ manifest: { name: 'rxjs', version, scripts: { [script]: 'node x.js' } }, buildsNativeCode }])).toHaveLength(
      1,
    );
  });

  test('leave the peer lmdb and its binaries as they are, and nothing else that builds', () => {
    const binaries = ['lmdb', '@lmdb/lmdb-linux-x64', 'msgpackr-extract'];
    const some = binaries.map((name) => ({ manifest: { name, version, scripts: { install: 'x' } }, buildsNativeCode: true }));
    expect(faultsOfInstalled(some)).toEqual([]);
    expect(faultsOfInstalled([{ manifest: { name: 'lmdb-like', version }, buildsNativeCode: true }])).toHaveLength(2);
  });

  test('catch native code that npm would build without being asked', () => {
    expect(faultsOfInstalled([{ manifest: { name: 'rxjs', version }, buildsNativeCode: true }])).toHaveLength(1);
  });
});
