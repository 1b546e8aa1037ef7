/** Built files run as they were written. */
import { faultsOfBuilt } from '../built-rules.ts';

test('syntax that was lowered by the build is a fault, with the helper and how often it is called', () => {
  const code = 'function _optionalChain(ops) { return ops; }\nconst a = _optionalChain([b, "optionalAccess", (_) => _.c]);';
  expect(faultsOfBuilt('dist/index.js', code)).toEqual([
    'dist/index.js was built for an older Node.js than the packages ask for: it calls _optionalChain (2 times)',
  ]);
});

test('code as it was written is none', () => {
  expect(faultsOfBuilt('dist/index.js', 'class A { #b = null; c = async () => this.#b?.d ?? { ...this }; }')).toEqual([]);
});
