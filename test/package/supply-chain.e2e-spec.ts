import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { parse } from 'yaml';
import { PATIENCE } from '../support/patience.js';
import { packLibrary, run } from './package-project.js';

jest.setTimeout(PATIENCE);

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<
    Record<string, { readonly permissions?: Readonly<Record<string, string>>; readonly steps: readonly Step[] }>
  >;
}

interface Component {
  readonly 'bom-ref': string;
  readonly purl: string;
  readonly hashes: readonly { readonly alg: string; readonly content: string }[];
  readonly licenses: readonly object[];
}

interface Bom {
  readonly bomFormat: string;
  readonly metadata: { readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

const FOLDER = '.github/workflows';
const WORKFLOWS = readdirSync(FOLDER).map((file) => {
  const text = readFileSync(join(FOLDER, file), 'utf8');
  return { file, text, workflow: parse(text) as Workflow };
});
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

// what OpenSSF Scorecard asks of workflows: Token-Permissions, Pinned-Dependencies, Dangerous-Workflow
describe.each(WORKFLOWS)('the workflow $file', ({ text, workflow }) => {
  const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

  it('may read the repository and nothing else, unless a job says so', () => {
    expect(workflow.permissions).toEqual({ contents: 'read' });
    for (const { permissions = {} } of Object.values(workflow.jobs)) {
      expect(permissions['contents'] ?? 'read').toBe('read');
    }
  });

  it('names each action by its commit, with its version beside it', () => {
    const named = steps.flatMap(({ uses }) => uses ?? []);
    expect(named.length).toBeGreaterThan(0);
    for (const uses of named) {
      expect(uses).toMatch(/^[\w-]+\/[\w/-]+@[0-9a-f]{40}$/);
      expect(text).toMatch(new RegExp(`uses: ${uses} # v\\d+\\.\\d+\\.\\d+\n`));
    }
  });

  it('gives what a stranger has sent neither rights nor a place in a command', () => {
    expect(Object.keys(workflow.on)).not.toContain('pull_request_target');
    expect(Object.keys(workflow.on)).not.toContain('workflow_run');
    for (const { run: command = '' } of steps) expect(command).not.toMatch(/\$\{\{(?! matrix\.)/);
  });

  it('keeps no credentials in the working folder', () => {
    for (const { uses = '', with: settings } of steps) {
      if (uses.startsWith('actions/checkout@')) expect(settings).toMatchObject({ 'persist-credentials': false });
    }
  });

  it('runs commands that there are', () => {
    const commands = steps.flatMap(({ run: command = '' }) => [...command.matchAll(/npm run (?:--silent )?(\S+)/g)]);
    for (const [, name] of commands) expect(scripts).toHaveProperty([name!]);
  });
});

describe('the software bill of materials', () => {
  it('describes the packed package, and all that npm installs with it, by licence and hash', async () => {
    const manifest = JSON.parse(readFileSync('libs/session-auth/package.json', 'utf8')) as {
      version: string;
      dependencies: Record<string, string>;
    };
    const tarball = await packLibrary();
    const { stdout } = await run('npm', ['run', '--silent', 'sbom', '--', tarball]);
    const bom = JSON.parse(stdout) as Bom;
    const { component } = bom.metadata;
    expect(bom.bomFormat).toBe('CycloneDX');
    expect(component.purl).toBe(`pkg:npm/nestjs-session-auth@${manifest.version}`);
    const content = createHash('sha512').update(readFileSync(tarball)).digest('hex');
    expect(component.hashes).toEqual([{ alg: 'SHA-512', content }]);
    for (const { hashes, licenses } of bom.components) expect([hashes.length, licenses.length]).toEqual([1, 1]);

    const refs = bom.components.map((each) => each['bom-ref']);
    const dependsOn = new Map(bom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    expect([...dependsOn.keys()].sort()).toEqual([...refs, component['bom-ref']].sort());
    const names = dependsOn.get(component['bom-ref'])!.map((ref) => ref.replace(/@[^@]+$/, ''));
    expect(names.sort()).toEqual(Object.keys(manifest.dependencies).sort());
    for (const ref of [...dependsOn.values()].flat()) expect(refs).toContain(ref);
    expect(stdout).not.toContain(dirname(tarball));
  });
});
