import eslint from '@eslint/js';
import tsdoc from 'eslint-plugin-tsdoc';
import tseslint from 'typescript-eslint';
import { layersRule } from './scripts/lint/layers.mjs';

/** Packages that speak AWS's protocols on the client's side. */
const awsClientPackages = {
  group: ['@aws-sdk/*', '@aws-crypto/*', '@smithy/*'],
  message: "The local KVS reads AWS's documents for itself; it shares no code with a client.",
};

/** Ways to load an addon. */
const addonLoaders = {
  paths: [{ name: 'node:module', message: 'Only lib/media/native.ts loads the addon.' }],
};

/** Packages, in what has to start on a fresh clone. */
const packagesBeforeSetUp = {
  patterns: [
    {
      regex: '^(?![./]|node:)',
      message: 'A script starts before npm install has run: import() a package after the set-up.',
    },
  ],
};

export default tseslint.config(
  {
    ignores: ['**/dist/', 'build/', 'docs/generated/', 'infra/cdk.out/', 'recordings/'],
  },
  eslint.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { tsdoc, project: { rules: { layers: layersRule } } },
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      'project/layers': 'error',
      'tsdoc/syntax': 'error',
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
      'max-lines': ['error', 400],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/consistent-type-exports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/prefer-readonly': 'error',
      '@typescript-eslint/strict-boolean-expressions': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers print as everybody expects; the rest of the rule stays.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    },
  },
  {
    files: ['lib/**/*.ts', 'bin/**/*.ts'],
    ignores: ['lib/media/native.ts'],
    rules: {
      'no-restricted-imports': ['error', addonLoaders],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[object.name="process"][property.name="dlopen"]',
          message: 'Only lib/media/native.ts loads the addon.',
        },
      ],
    },
  },
  {
    files: ['lib/local/**/*.ts'],
    rules: {
      'no-restricted-imports': ['error', { ...addonLoaders, patterns: [awsClientPackages] }],
    },
  },
  {
    // eslint.config.js itself loads what is in scripts/lint.
    files: ['scripts/**/*.mjs'],
    ignores: ['scripts/lint/**'],
    rules: { 'no-restricted-imports': ['error', packagesBeforeSetUp] },
  },
  {
    files: ['examples/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    files: ['test/**/*.ts', 'examples/**/*.ts', 'infra/test/**/*.ts'],
    rules: {
      // node:test's functions return promises that the runner itself waits for.
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', name: ['test', 'it', 'describe', 'suite'], package: 'node:test' },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.js', '**/*.mjs'],
    languageOptions: {
      globals: {
        AbortController: 'readonly',
        Buffer: 'readonly',
        clearInterval: 'readonly',
        clearTimeout: 'readonly',
        performance: 'readonly',
        process: 'readonly',
        setInterval: 'readonly',
        setTimeout: 'readonly',
      },
    },
  },
);
