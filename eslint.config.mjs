/** What the compiler does not catch: promises left alone, `any`, defaults, enums, and switches that forget a case. */
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const noSurprises = [
  { selector: 'TSEnumDeclaration', message: 'Use a union of literals: enums leave code behind and do not compare by structure.' },
  { selector: 'ExportDefaultDeclaration', message: 'Use a named export: one thing has one name everywhere.' },
];

export default tseslint.config(
  { ignores: ['**/node_modules/**', '**/dist/**', 'coverage/**', '**/*.js', '**/*.mjs', '**/*.cjs'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error', noInlineConfig: true },
    rules: {
      '@typescript-eslint/consistent-type-imports': ['error', { prefer: 'type-imports', fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: { arguments: false } }],
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'no-restricted-syntax': ['error', ...noSurprises],
      eqeqeq: 'error',
    },
  },
  {
    // The tool that reads these files asks for a default export.
    files: ['**/tsup.config.ts'],
    rules: { 'no-restricted-syntax': ['error', noSurprises[0]] },
  },
);
