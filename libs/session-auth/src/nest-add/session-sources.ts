import { importPath, type Project } from './project.js';

/** The variable with the hash of the account's password. */
export const ACCOUNT_VARIABLE = 'SESSION_AUTH_DEV_ACCOUNT';

/** Reads variables, also before `ConfigModule` has read the file. */
export function environmentSource(envFile: string): string {
  return `import { existsSync, readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';

/**
 * Returns a variable from the environment, or else from the file ${envFile}, which
 * must not be committed. Returns an empty text if the variable is missing.
 */
export function environment(name: string): string {
  const value = process.env[name];
  if (value !== undefined || !existsSync('${envFile}')) return value ?? '';
  return parseEnv(readFileSync('${envFile}', 'utf8'))[name] ?? '';
}
`;
}

/** The account for a first login. */
export function developmentAccountSource(project: Project, path: string, environmentPath: string): string {
  return `import type { SessionUser } from 'nestjs-session-auth';
import { environment } from '${importPath(project, path, environmentPath)}';

/**
 * Returns the account that \`nest add\` has made for a first login. It exists while
 * the environment has the hash of its password, and never in production. Delete
 * this file once you have users.
 */
export function developmentAccount(): SessionUser | undefined {
  const encoded = environment('${ACCOUNT_VARIABLE}');
  if (encoded === '' || process.env['NODE_ENV'] === 'production') {
    return undefined;
  }
  const passwordHash = Buffer.from(encoded, 'base64url').toString();
  return { id: 'ada', email: 'ada@example.com', roles: [], passwordHash };
}
`;
}

/** The users service to fill in. */
export function usersServiceSource(project: Project, name: string, path: string, accountPath: string): string {
  return `import { Injectable } from '@nestjs/common';
import type { SessionUser, SessionUserProvider } from 'nestjs-session-auth';
import { developmentAccount } from '${importPath(project, path, accountPath)}';

/**
 * Finds the users of the application. Fill it in: return yours, with the bcrypt
 * hash of the password as passwordHash.
 */
@Injectable()
export class ${name} implements SessionUserProvider {
  /** Returns the user of a login name, or undefined. The library checks the password. */
  findByEmail(email: string): Promise<SessionUser | undefined> {
    const ada = developmentAccount();
    const isAda = ada?.email === email.toLowerCase();
    return Promise.resolve(isAda ? ada : undefined);
  }

  /** Returns the user of an id, or undefined. */
  findById(id: string): Promise<SessionUser | undefined> {
    const ada = developmentAccount();
    return Promise.resolve(ada?.id === id ? ada : undefined);
  }
}
`;
}

/** A test over HTTP that needs no users, no database and no \`.env\`. */
export function testSource(project: Project, path: string, moduleName: string): string {
  const { isFastify, runner } = project;
  const [globals, adapter, app] = [
    runner === 'vitest' ? `import { afterAll, beforeAll, describe, expect, it } from 'vitest';\n` : '',
    isFastify ? `import { FastifyAdapter } from '@nestjs/platform-fastify';\n` : '',
    isFastify ? 'new FastifyAdapter()' : '',
  ];
  return `import { randomBytes } from 'node:crypto';
import type { INestApplication } from '@nestjs/common';
${adapter}import { Test } from '@nestjs/testing';
import { signInAs } from 'nestjs-session-auth/testing';
${globals}import { ${moduleName} } from '${importPath(project, path, project.module)}';

describe('sessions (e2e)', () => {
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    process.env['SESSION_SECRET'] ??= randomBytes(32).toString('base64url');
    const testing = await Test.createTestingModule({
      imports: [${moduleName}],
    }).compile();
    app = testing.createNestApplication(${app});
    await app.listen(0, '127.0.0.1');
    url = await app.getUrl();
  });

  afterAll(async () => {
    await app.close();
  });

  it('are not there before a login', async () => {
    expect((await fetch(\`\${url}/auth/session\`)).status).toBe(401);
  });

  it('do not begin with a wrong password', async () => {
    const answer = await fetch(\`\${url}/auth/csrf\`);
    const { csrfToken } = (await answer.json()) as { csrfToken: string };
    const login = await fetch(\`\${url}/auth/login\`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'x-csrf-token': csrfToken,
        cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '',
      },
      body: JSON.stringify({ email: 'ada@example.com', password: 'wrong' }),
    });
    expect(login.status).toBe(401);
    expect(await login.json()).toMatchObject({ code: 'invalid_credentials' });
  });

  it('begin with a login, and end with a logout', async () => {
    const ada = { id: 'ada', email: 'ada@example.com', roles: [] };
    const { headers } = await signInAs(app, ada);
    const session = await fetch(\`\${url}/auth/session\`, { headers });
    expect(await session.json()).toMatchObject({ userId: 'ada' });
    const end = { method: 'POST', headers };
    const logout = await fetch(\`\${url}/auth/logout\`, end);
    expect(logout.status).toBe(204);
    const ended = await fetch(\`\${url}/auth/session\`, { headers });
    expect(ended.status).toBe(401);
  });
});
`;
}
