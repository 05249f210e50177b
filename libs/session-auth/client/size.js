/**
 * Bundles the client as an application would, and fails where it is larger than it may be or has brought something
 * along. Part of the build.
 */
import { buildSync } from 'esbuild';
import { join } from 'node:path';

export const MOST_BYTES = 2500;

/** The bundle of an entry file, minified: its text, its size, the files that are in it, and what it imports. */
export function bundleOf(entry) {
  const { outputFiles, metafile } = buildSync({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    // what is imported from a package would be an import of the bundle
    packages: 'external',
    logLevel: 'error',
  });
  const [output] = Object.values(metafile.outputs);
  return {
    text: outputFiles[0].text,
    outputBytes: output.bytes,
    files: Object.keys(metafile.inputs),
    imports: output.imports,
  };
}

if (process.argv[1] === import.meta.filename) {
  const { outputBytes, files, imports } = bundleOf(join(import.meta.dirname, '../dist/client/index.js'));
  const foreign = files.filter((file) => !file.includes('dist/client/'));
  const bytes = outputBytes;
  if (bytes > MOST_BYTES || foreign.length + imports.length > 0) {
    const brought = [...foreign, ...imports.map(({ path }) => path)].join(', ') || 'nothing';
    process.stderr.write(`nestjs-session-auth/client: ${bytes} of ${MOST_BYTES} bytes; it brings along: ${brought}\n`);
    process.exitCode = 1;
  }
}
