import js from '@eslint/js';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    ignores: [
      '**/dist/',
      '**/coverage/',
      '**/node_modules/',
      '.stryker-tmp/',
      'examples/client-angular/',
      'examples/client-next/',
      'site/{build,content,.docusaurus}/',
      'examples/postgresql-executors/',
      'examples/sqlite*/',
      'test/stacks/**/*.{ts,tsx}',
    ],
  },
  js.configs.recommended,
  tseslint.configs.recommendedTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      // `import type` is left to the author: on an injected class it would erase what decorator metadata needs.
      '@typescript-eslint/consistent-type-imports': 'off',
      // An adapter that answers at once still implements a port of promises, and must reject instead of throwing.
      '@typescript-eslint/require-await': 'off',
      // Nest modules are classes without members.
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  { files: ['libs/**/*.ts'], rules: { 'no-console': 'error' } },
  {
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: {
      globals: {
        module: 'readonly',
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        fetch: 'readonly',
        Request: 'readonly',
        setImmediate: 'readonly',
      },
    },
  },
  {
    files: ['examples/client/*.js'],
    languageOptions: { globals: { document: 'readonly', FormData: 'readonly', URLSearchParams: 'readonly' } },
  },
);
