import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module } from '@nestjs/common';
import { SessionAuthModule, SessionUserProvider, type UserErasure, type UserExport } from 'nestjs-session-auth';
import { Accounts } from '../../examples/privacy/accounts.js';
import { ErasableAuditFile } from '../../examples/privacy/erasable-audit-file.js';
import { PrivacyController } from '../../examples/privacy/privacy.controller.js';
import { UsersService, type User } from '../../examples/quick-start/users.service.js';
import { ADA, logIn, startExample, type ExampleApp } from '../support/example-app.js';

/** Ada's account, until it is removed. */
@Injectable()
class RemovableUsers extends UsersService implements Accounts {
  #isRemoved = false;

  remove(): Promise<void> {
    this.#isRemoved = true;
    return Promise.resolve();
  }

  loginNames(): Promise<readonly string[]> {
    return Promise.resolve([ADA.email]);
  }

  override async findByEmail(email: string): Promise<User | undefined> {
    return this.#isRemoved ? undefined : super.findByEmail(email);
  }

  override async findById(id: string): Promise<User | undefined> {
    return this.#isRemoved ? undefined : super.findById(id);
  }
}

describe('the examples of privacy', () => {
  let folder: string;
  let example: ExampleApp;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'audit-'));
    process.env['AUDIT_FILE'] = join(folder, 'audit.log');

    @Module({
      imports: [
        SessionAuthModule.forRoot({
          secrets: [process.env['SESSION_SECRET']!],
          users: { useClass: RemovableUsers },
          storage: { audit: { useClass: ErasableAuditFile } },
        }),
      ],
      providers: [{ provide: Accounts, useExisting: SessionUserProvider }],
      controllers: [PrivacyController],
    })
    class AppModule {}

    example = await startExample(AppModule);
  });

  afterEach(async () => {
    await example.close();
    await rm(folder, { recursive: true });
  });

  it('give a user what is kept, and erase it with the account, from a log of the application’s own as well', async () => {
    const ada = example.client();
    expect((await logIn(ada, { password: 'a guess' })).status).toBe(401);
    await logIn(ada, { rememberMe: true });
    const kept = (await ada.get('/my-data')).json as UserExport;
    expect(kept).toMatchObject({
      userId: '1',
      sessions: [{ userId: '1', ip: '127.0.0.1', data: {} }],
      rememberedDevices: [{ ip: '127.0.0.1' }],
      missing: [],
    });
    expect(kept.auditRecords.map((record) => (record as { event: string }).event)).toEqual([
      'authn_login_fail',
      'session_created',
      'authn_token_created',
    ]);
    const { cookie } = ada;
    const erased = (await ada.ask('DELETE', '/my-data')).json as UserErasure;
    expect(erased).toMatchObject({ sessions: 1, rememberedDevices: 1, auditRecords: 4, missing: [] });
    expect((await ada.get('/auth/session', { cookie })).status).toBe(401);
    const file = await readFile(process.env['AUDIT_FILE']!, 'utf8');
    // the account is gone: its session and device end, and the record of that comes after, without an id
    expect(file).not.toMatch(/"userid"/);
    expect(file.match(/"event":"session_created"/g)).toHaveLength(1);
  });
});
