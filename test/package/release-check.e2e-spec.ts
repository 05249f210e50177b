import { cp, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, jest } from '@jest/globals';
import { PATIENCE } from '../support/patience.js';
import { run } from './package-project.js';

jest.setTimeout(PATIENCE);

const LIBRARY = 'libs/session-auth/package.json';
const PAGES = ['SECURITY.md', 'CHANGELOG.md'];
const REPOSITORY = 'https://git.test/session/auth';

describe('a release', () => {
  let root: string;

  /** Runs a command that may fail; returns its exit code and what it wrote. */
  async function outcome(file: string, args: readonly string[]): Promise<{ code: number; output: string }> {
    return run(file, args).then(
      ({ stdout, stderr }) => ({ code: 0, output: stdout + stderr }),
      (error: { code: number; stdout: string; stderr: string }) => ({
        code: error.code,
        output: error.stdout + error.stderr,
      }),
    );
  }

  const check = (): Promise<{ code: number; output: string }> =>
    outcome(process.execPath, ['libs/session-auth/packing/release-check.js', root]);

  async function change(path: string, from: string | RegExp, to: string): Promise<void> {
    const text = await readFile(join(root, path), 'utf8');
    expect(text).toMatch(from);
    await writeFile(join(root, path), text.replaceAll(from, to));
  }

  beforeAll(async () => {
    root = await mkdtemp(join(process.env['TEST_RUN_FOLDER']!, 'release-'));
    await mkdir(join(root, 'libs/session-auth'), { recursive: true });
    for (const path of [LIBRARY, ...PAGES]) await cp(path, join(root, path));
  });

  it('is refused by `npm publish` while a placeholder is left, which it names', async () => {
    const { code, output } = await outcome('npm', ['publish', '--dry-run', '--workspace', 'nestjs-session-auth']);
    expect(code).not.toBe(0);
    for (const field of ['repository', 'homepage', 'bugs'])
      expect(output).toContain(`package.json: ${field} is a placeholder: `);
    expect(output).toContain('SECURITY.md: the contact is a placeholder: example.com');
  });

  it('passes once every placeholder is replaced, and not before', async () => {
    expect((await check()).code).toBe(1);
    await change(LIBRARY, /https:\/\/repository\.invalid\/nestjs-session-auth/g, REPOSITORY);
    const { code, output } = await check();
    expect({ code, reasons: output.trim().split('\n').length }).toEqual({ code: 1, reasons: 1 });
    await change('SECURITY.md', /security@example\.com/g, 'security@session.test');
    expect(await check()).toEqual({ code: 0, output: '' });
  });

  it('needs addresses of one repository, and a section of the changelog', async () => {
    await change(LIBRARY, `${REPOSITORY}/issues`, 'https://elsewhere.test/issues');
    await change(LIBRARY, /"version": "[^"]+"/g, '"version": "99.0.0"');
    const { code, output } = await check();
    expect(code).toBe(1);
    expect(output).toContain('bugs is not in the repository: https://elsewhere.test/issues');
    expect(output).toContain('CHANGELOG.md: has no section for version 99.0.0');
  });
});
