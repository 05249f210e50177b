import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';

describe('the guides', () => {
  it('show code that is compiled and tested, to the letter', async () => {
    let blocks = 0;
    for (const guide of await guides()) {
      const text = await readFile(guide, 'utf8');
      const shown = [...text.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)];
      expect([...text.matchAll(/^```ts$/gm)]).toHaveLength(shown.length);
      for (const [, file, code] of shown) {
        const source = await readFile(file!, 'utf8');
        // a line of an ellipsis leaves something out
        for (const part of code!.split(/^ *\/\/ …\n/m)) expect(source).toContain(part);
      }
      blocks += shown.length;
    }
    expect(blocks).toBeGreaterThan(3);
  });
});

async function guides(): Promise<string[]> {
  const names = await readdir('docs', { recursive: true });
  return names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`);
}
