import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { decisions, DECISIONS_PAGE, ROOT } from './pages.mjs';

const CONTENT = join(ROOT, 'site/content');

/** The groups of `docs/README.md`: a heading, and the pages in the table below it. */
function guides() {
  const [, ...groups] = readFileSync(join(CONTENT, 'docs/README.md'), 'utf8').split(/^## /m);
  return groups.map((group) => ({
    type: 'category',
    label: group.slice(0, group.indexOf('\n')).trim(),
    collapsed: false,
    items: [...group.matchAll(/^\|.*\]\(([^)#\s]+)\) *\|$/gm)].map(([, target]) => guide(target)),
  }));
}

function guide(target) {
  const page = posix.join('docs', target);
  if (page !== DECISIONS_PAGE) return idOf(page);
  return {
    type: 'category',
    label: 'Decisions',
    link: { type: 'doc', id: idOf(page) },
    items: decisions().map((name) => idOf(posix.join(posix.dirname(page), name))),
  };
}

function idOf(page) {
  return page.replace(/\.md$/, '');
}

/** The entry points of the package, with what they export. */
function reference() {
  return JSON.parse(readFileSync(join(CONTENT, 'api/navigation.json'), 'utf8')).map(referenceItem);
}

function referenceItem({ title, path, children }) {
  const id = path && idOf(posix.join('api', path));
  if (!children) return { type: 'doc', id, label: title };
  return {
    type: 'category',
    label: title,
    ...(id && { link: { type: 'doc', id } }),
    items: children.map(referenceItem),
  };
}

export default {
  guides: [
    { type: 'doc', id: 'README', label: 'Quick start' },
    { type: 'doc', id: 'docs/README', label: 'All guides' },
    ...guides(),
  ],
  reference: [{ type: 'doc', id: 'api/index', label: 'API reference' }, ...reference()],
};
