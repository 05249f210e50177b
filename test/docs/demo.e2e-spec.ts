import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { BankClient } from '../support/bank-client.js';
import { buildDemo } from '../support/build.js';
import { startDemo, type DemoProcess } from '../support/demo-process.js';
import { PATIENCE } from '../support/patience.js';
import { bashOf } from './powershell.js';

const run = promisify(execFile);

describe('the page of the demo', () => {
  let page: string;

  beforeAll(async () => {
    page = await readFile('docs/demo.md', 'utf8');
  });

  describe('and its transcript', () => {
    let demo: DemoProcess | undefined;
    let folder: string | undefined;

    beforeAll(async () => {
      await buildDemo();
      demo = await startDemo();
      folder = await mkdtemp(join(tmpdir(), 'transcript-'));
    }, PATIENCE);

    afterAll(async () => {
      await demo?.stop();
      if (folder) await rm(folder, { recursive: true });
    });

    it('comes after pages that are all there', async () => {
      const admin = new BankClient(demo!.port);
      const pages = [...page.matchAll(/^\| `(\/\w+)` +\|/gm)].map((match) => match[1]!);
      expect(pages).toHaveLength(6);
      expect((await admin.get('/login')).text).toContain('<h1>Sign in</h1>');
      await admin.login('admin');
      for (const path of pages.filter((each) => each !== '/login')) {
        const { status, headers } = await admin.get(path);
        expect({ path, status, type: headers['content-type'] }).toEqual({
          path,
          status: 200,
          type: 'text/html; charset=utf-8',
        });
      }
    });

    it('is what the demo answers', async () => {
      const transcript = /<!-- transcript -->\n+```console\n(.*?)^```$/ms.exec(page)![1]!;
      const steps = transcript.split(/^\$ /m).slice(1);
      expect(steps.length).toBeGreaterThan(5);
      for (const step of steps) {
        const [command = '', ...lines] = step.trimEnd().split('\n');
        const here = command.replaceAll('localhost:3000', `localhost:${demo!.port}`);
        const { stdout } = await run('bash', ['-c', here], { cwd: folder! });
        const expected = lines.join('\n').trim();
        const pattern = expected.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
        expect(stdout.trim()).toMatch(new RegExp(`^${pattern.join('[^"]*')}$`));
      }
      expect(await readdir(folder!)).toContain('stolen');
    });

    it('is the same in PowerShell', async () => {
      const script = /<!-- transcript, PowerShell -->\n+```powershell\n(.*?)^```$/ms.exec(page)![1]!;
      const here = bashOf(script).replaceAll('localhost:3000', `localhost:${demo!.port}`);
      const { stdout } = await run('bash', ['-c', here], { cwd: folder! });
      const parts = ['session_required', '"userId":"alice"', 'csrf_failed', '"success"', '"dark"', '"current":true'];
      const order = [...parts, ' 204 ', 'session_required'].map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
      expect(stdout).toMatch(new RegExp(order.join('.*'), 's'));
    });
  });
});
