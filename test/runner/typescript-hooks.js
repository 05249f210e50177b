import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transform } from '@swc/core';
import jestConfig, { swc } from '../../jest.config.js';

/**
 * What `transform` and `moduleNameMapper` do in Jest's own module system, for Node's: the same compiler with the same
 * options, and the same names of the library's entry points. Node runs these hooks in a thread of their own.
 */
const ROOT = new URL('../../', import.meta.url).href;
const GLOBALS = new URL('./jest-globals.js', import.meta.url).href;

const entryPoints = Object.entries(jestConfig.moduleNameMapper)
  .filter(([pattern]) => pattern.startsWith('^nestjs-session-auth'))
  .map(([pattern, path]) => [new RegExp(pattern), path.replace('<rootDir>/', ROOT)]);

const isOurs = (url) => url?.startsWith(ROOT) === true && !url.includes('/node_modules/');

export async function resolve(specifier, context, nextResolve) {
  if (specifier === '@jest/globals') return { url: GLOBALS, shortCircuit: true };
  if (isOurs(context.parentURL)) {
    for (const [pattern, url] of entryPoints) {
      if (pattern.test(specifier)) return nextResolve(specifier.replace(pattern, url), context);
    }
    // TypeScript sources name the file that will exist after the build.
    if (/^\.{1,2}\/.*\.js$/.test(specifier)) {
      const typescript = new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
      if (existsSync(typescript)) return nextResolve(typescript.href, context);
    }
  }
  return nextResolve(specifier, context);
}

export async function load(url, context, nextLoad) {
  if (!isOurs(url) || !new URL(url).pathname.endsWith('.ts')) return nextLoad(url, context);
  const { source } = await nextLoad(url, { ...context, format: 'module' });
  const { code } = await transform(String(source), { ...swc, swcrc: false, filename: fileURLToPath(url) });
  return { format: 'module', source: code, shortCircuit: true };
}
