import { addedCpu, caseOf, type Results } from '../measured.ts';

const WIDTH = 760;
const LABEL = 290;
const BAR = 22;
const GAP = 8;
const HEAD = 30;

const GROUPS = [
  {
    title: 'Express: CPU added to the bare route, µs a request (less is better)',
    ids: [
      'redis-get',
      'ours-redis',
      'peer-redis',
      'better-auth',
      'postgres-select',
      'ours-postgres',
      'peer-postgres',
      'ours-memory',
      'peer-memory',
    ],
    adapter: 'express',
  },
  {
    title: 'Fastify: CPU added to the bare route, µs a request (less is better)',
    ids: ['redis-get', 'ours-redis', 'peer-redis', 'postgres-select', 'ours-postgres', 'ours-memory'],
    adapter: 'fastify',
  },
] as const;

/** A bar chart of what each contender adds to the bare route, as an SVG that reads on light and dark pages. */
export function chartOf(results: Results): string {
  const parts: string[] = [];
  let y = 0;
  for (const { title, ids, adapter } of GROUPS) {
    parts.push(`<text x="0" y="${y + 18}" class="title">${title}</text>`);
    y += HEAD;
    const bars = ids.map((id) => ({ id, value: Math.max(addedCpu(results.cases, `${adapter}/${id}`).value, 0) }));
    const most = Math.max(...bars.map(({ value }) => value));
    for (const { id, value } of bars) {
      const label = caseOf(results.cases, `${adapter}/${id}`).title;
      const length = Math.max((value / most) * (WIDTH - LABEL - 60), 1);
      const kind = id.startsWith('ours') ? 'ours' : id.startsWith('peer') || id === 'better-auth' ? 'peer' : 'limit';
      parts.push(
        `<text x="${LABEL - 10}" y="${y + 16}" class="label">${label}</text>`,
        `<rect x="${LABEL}" y="${y}" width="${length.toFixed(1)}" height="${BAR}" rx="2" class="${kind}"/>`,
        `<text x="${(LABEL + length + 6).toFixed(1)}" y="${y + 16}" class="value">${value.toFixed(0)}</text>`,
      );
      y += BAR + GAP;
    }
    y += 16;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img">
<style>
text { font: 13px system-ui, sans-serif; fill: #555 } .title { font-weight: 600 } .label { text-anchor: end }
.ours { fill: #2563eb } .peer { fill: #9ca3af } .limit { fill: #d1d5db }
@media (prefers-color-scheme: dark) { text { fill: #bbb } .peer { fill: #6b7280 } .limit { fill: #4b5563 } }
</style>
${parts.join('\n')}
</svg>
`;
}
