import { beforeAll, describe, expect, it } from '@jest/globals';
import { readPages } from '../support/guides.js';
import { blocksOf, withoutCode, type Block } from '../support/markdown.js';

/** What PowerShell on Windows does not understand as bash does. */
const ONLY_BASH: Readonly<Record<string, RegExp>> = {
  'a variable for one command': /(?:^|[;&|] *)[A-Z_][A-Z0-9_]*=\S* *\S/m,
  'a variable of the shell': /^(?:export )?\w+=/m,
  'the output of a command': /\$\(/,
  'a line that continues': /\\$/m,
  'several commands in one': /&&|\|\|/,
  'curl, which is another command there': /\bcurl\b/,
  'a program of Unix':
    /(?:^|[|;&(] *)(?:openssl|grep|sed|awk|tee|head|tail|cat|cp|mv|rm|ln|mkdir|chmod|touch|printf|which)\b/m,
  'a file as input': / < /,
  'names of files by *': /\*/,
  'a device or the home folder': /\/dev\/|~\//,
  'double quotes in single ones': /^(?:[^'"]|"[^"]*"|'[^'"]*')*'[^'"]*"/m,
};

/** What bash understands, and PowerShell does not, or otherwise. */
const NOT_POWERSHELL: Readonly<Record<string, RegExp>> = {
  'an alias instead of curl.exe': /\bcurl (?!\.exe)/,
  'several commands in one, before version 7': /&&|\|\|/,
  'a line that continues': /\\$/m,
  'a variable for one command': /^[A-Z_][A-Z0-9_]*=/m,
  'arguments after --, which PowerShell drops without quotes': / -- /,
  'a list for @, without quotes': / @-/,
};

/** Commands in a line of prose that only bash understands. */
const ONLY_BASH_IN_PROSE =
  /^(?:export \w+=|[A-Z_]{2,}=\S+ \w|openssl |mkdir -p|rm -|cp |(?:psql|mysql|sqlite3) .*(?: < |\$))/;

describe('the commands of README and guides on Windows', () => {
  let pages: ReadonlyMap<string, string>;

  beforeAll(async () => {
    pages = await readPages();
  });

  it('stand in PowerShell after those that only bash understands', () => {
    const alone = [...pages].flatMap(([page, text]) => withoutSibling(blocksOf(page, text)));
    expect(alone).toEqual([]);
  });

  it('are not in bash alone in prose', () => {
    const found = [...pages].flatMap(([page, text]) =>
      [...withoutCode(text).matchAll(/`([^`\n]+)`/g)]
        .filter(([, code]) => ONLY_BASH_IN_PROSE.test(code!))
        .map(([, code]) => `${page}: ${code}`),
    );
    expect(found).toEqual([]);
  });

  it('are commands of PowerShell', () => {
    const blocks = [...pages].flatMap(([page, text]) => blocksOf(page, text));
    const shells = blocks.filter(({ language }) => language === 'powershell');
    expect(shells.length).toBeGreaterThan(3);
    expect(shells.flatMap((block) => findingsIn(block, NOT_POWERSHELL))).toEqual([]);
  });

  it.each([
    ['SECRET=x node main.js'],
    ['export SECRET=x'],
    ['token=$(npm token)'],
    ['npm ci && npm start'],
    ['curl localhost:3000'],
    ['npx tsc src/*.ts'],
    ['openssl rand 32'],
    ['npm pack | tee log'],
    ['mysql bank < schema.sql'],
    ['npm install a \\\n  b'],
    [`npm pkg set x='{"a":1}'`],
  ])('are found without PowerShell: %s', (command) => {
    const text = `# A page\n\n\`\`\`sh\n${command}\n\`\`\`\n`;
    expect(withoutSibling(blocksOf('a', text))).not.toEqual([]);
    const sibling = '\n```powershell\nnpm start\n```\n';
    expect(withoutSibling(blocksOf('a', text + sibling))).toEqual([]);
    expect(withoutSibling(blocksOf('a', `${text}\n## Another thing\n${sibling}`))).not.toEqual([]);
  });

  it.each([['npm ci'], [`node -p "require('crypto').randomBytes(32)"`], ['mysql bank -e "source schema.sql"']])(
    'need no PowerShell: %s',
    (command) => {
      expect(withoutSibling(blocksOf('a', `\`\`\`sh\n${command}\n\`\`\`\n`))).toEqual([]);
    },
  );
});

/** Blocks of bash that PowerShell does not understand, and that no block of PowerShell follows under the heading. */
function withoutSibling(blocks: readonly Block[]): string[] {
  return blocks.flatMap((block, index) => {
    if (!['sh', 'bash', 'shell', 'console'].includes(block.language)) return [];
    const isUnderOneHeading = !/^#+ /m.test(block.after ?? '');
    if (isUnderOneHeading && blocks[index + 1]?.language === 'powershell') return [];
    const commands =
      block.language === 'console'
        ? [...block.code.matchAll(/^\$ (.*)$/gm)].map(([, line]) => line).join('\n')
        : block.code;
    return findingsIn({ ...block, code: commands }, ONLY_BASH);
  });
}

function findingsIn({ page, line, code }: Block, rules: Readonly<Record<string, RegExp>>): string[] {
  return Object.entries(rules)
    .filter(([, pattern]) => pattern.test(code))
    .map(([what]) => `${page}:${line}: ${what}`);
}
