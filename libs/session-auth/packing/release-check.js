/**
 * Exits with 1 when the package must not be published yet, and says why. `npm publish` runs this. An argument names
 * another root to check.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { repositoryOf } from './documents.js';

/** Reserved names, which never lead anywhere (RFC 2606). */
const PLACEHOLDER = /\bexample\.(?:com|net|org)\b|\.(?:invalid|example)\b/;

const root = resolve(process.argv[2] ?? join(import.meta.dirname, '../../..'));
const read = (path) => readFileSync(join(root, path), 'utf8');
const manifest = JSON.parse(read('libs/session-auth/package.json'));
const reasons = [];

for (const field of ['repository', 'homepage', 'bugs']) {
  const address = manifest[field]?.url ?? manifest[field];
  if (address === undefined) reasons.push(`package.json: ${field} is missing`);
  else if (PLACEHOLDER.test(address)) reasons.push(`package.json: ${field} is a placeholder: ${address}`);
  else if (field !== 'repository' && manifest.repository && !address.startsWith(repositoryOf(manifest)))
    reasons.push(`package.json: ${field} is not in the repository: ${address}`);
}

const contact = /## Reporting a vulnerability\n(.*?)\n## /s.exec(read('SECURITY.md'))?.[1] ?? '';
const placeholder = PLACEHOLDER.exec(contact);
if (placeholder) reasons.push(`SECURITY.md: the contact is a placeholder: ${placeholder[0]}`);
else if (!/\S@\S|https:/.test(contact)) reasons.push('SECURITY.md: the contact is missing');

if (!read('CHANGELOG.md').includes(`\n## [${manifest.version}]`))
  reasons.push(`CHANGELOG.md: has no section for version ${manifest.version}`);

for (const reason of reasons) console.error(`Not ready for a release. ${reason}`);
process.exitCode = reasons.length === 0 ? 0 : 1;
