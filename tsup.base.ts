/** How every package is built: CommonJS and ES modules side by side, each with types of its own. */
import { defineConfig } from 'tsup';

export function packageBuild(entry: string[]): ReturnType<typeof defineConfig> {
  return defineConfig({
    entry,
    format: ['cjs', 'esm'],
    target: 'es2022',
    platform: 'node',
    clean: true,
    sourcemap: true,
    splitting: true,
    // Without it CommonJS chunks are written by a tool that lowers `?.`, and what users run takes almost twice as long.
    treeshake: true,
    dts: { compilerOptions: { composite: false, incremental: false } },
  });
}
