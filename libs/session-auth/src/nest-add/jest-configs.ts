import { jsonOf, writeJson, type ProjectFiles } from './project-files.js';
import type { Project } from './project.js';

interface JestConfig {
  transform?: Record<string, unknown>;
  transformIgnorePatterns?: string[];
}

/** The library and its imports are ES modules. */
const ES_MODULES = '/node_modules/(?!(nestjs-session-auth|cookie-es)/)';
const PACKAGES = 'node_modules/.+\\.m?js$';

/**
 * Lets Jest of a CommonJS application load ES modules, which Jest cannot require before Node.js 24.9. Nest 12 itself
 * consists of ES modules, and its applications are configured for them.
 *
 * @returns the remaining steps, as sentences
 */
export function prepareJest(files: ProjectFiles, project: Project, testFolder: string): string[] {
  const { manifest, runner, isEsm, nestMajor } = project;
  if (runner !== 'jest' || isEsm || nestMajor >= 12) return [];
  const packages = { ...manifest.devDependencies, ...manifest.dependencies };
  const transformer =
    'ts-jest' in packages
      ? ['ts-jest', { tsconfig: { allowJs: true, esModuleInterop: true, isolatedModules: true } }]
      : '@swc/jest' in packages
        ? ['@swc/jest', { module: { type: 'commonjs' } }]
        : undefined;
  const path = `${testFolder}/jest-e2e.json`;
  const config = jsonOf<JestConfig>(files, path);
  if (transformer === undefined || config === undefined) {
    return ['let Jest transform the ES modules of the library: see docs/testing.md of nestjs-session-auth, under Jest'];
  }
  if (prepare(config, transformer)) writeJson(files, path, config);
  if (manifest.jest !== undefined && prepare(manifest.jest, transformer)) writeJson(files, 'package.json', manifest);
  return [];
}

/** Returns whether the configuration has changed. */
function prepare(config: JestConfig, transformer: unknown[]): boolean {
  if (config.transformIgnorePatterns?.some((pattern) => pattern.includes('nestjs-session-auth'))) return false;
  // the first pattern that matches wins
  config.transform = { [PACKAGES]: transformer, ...(config.transform ?? {}) };
  config.transformIgnorePatterns = [
    ...(config.transformIgnorePatterns ?? []).filter((pattern) => pattern !== '/node_modules/'),
    ES_MODULES,
  ];
  return true;
}
