import { writeJson, type ProjectFiles } from './project-files.js';
import type { Project } from './project.js';
import type { StorageParts } from './storage-sources.js';

/** Adds the packages of a storage that are missing from `package.json`. Returns their names. */
export function addPackages(files: ProjectFiles, { manifest, nestMajor }: Project, storage: StorageParts): string[] {
  const present = { ...manifest.devDependencies, ...manifest.dependencies };
  const added: string[] = [];
  for (const kind of ['dependencies', 'devDependencies'] as const) {
    const missing = Object.entries(storage[kind]).filter(([name]) => !(name in present));
    if (missing.length === 0) continue;
    // a package of Nest has the same version as Nest
    const ranges = missing.map(([name, range]) => [name, range === '' ? `^${nestMajor}.0.0` : range] as const);
    const all = { ...manifest[kind], ...Object.fromEntries(ranges) };
    manifest[kind] = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)));
    added.push(...missing.map(([name]) => name));
  }
  if (added.length > 0) writeJson(files, 'package.json', manifest);
  return added;
}
