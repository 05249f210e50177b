import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DtoPipe } from './dto.pipe.js';
import { LoginDto } from './login.dto.js';
import { ReauthenticateDto } from './reauthenticate.dto.js';

const pipe = new DtoPipe(LoginDto);
const GOOD = { email: 'alice@example.com', password: 'alice-demo-password' };

describe('DtoPipe', () => {
  it('answers an instance of the DTO', async () => {
    const dto = await pipe.transform({ ...GOOD, rememberMe: true });
    expect(dto).toBeInstanceOf(LoginDto);
    expect({ ...dto }).toEqual({ ...GOOD, rememberMe: true });
    expect({ ...(await pipe.transform(GOOD)) }).toEqual(GOOD);
  });

  it('drops what the DTO does not declare', async () => {
    const dto = await pipe.transform({ ...GOOD, roles: ['admin'], userId: 'admin', toString: 'x', hasOwnProperty: 1 });
    expect(Object.entries(dto).filter(([, value]) => value !== undefined)).toEqual(Object.entries(GOOD));
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'email=alice'],
    ['a list', [GOOD]],
    ['a number', 1],
  ])('refuses %s as a body', async (_what, body) => {
    await expect(pipe.transform(body)).rejects.toMatchObject({ code: 'invalid_request', statusCode: 400 });
  });

  it.each([
    [{}, ['email', 'password']],
    [{ email: GOOD.email }, ['password']],
    [{ ...GOOD, email: '' }, ['email']],
    [{ ...GOOD, email: 'x'.repeat(255) }, ['email']],
    [{ ...GOOD, email: ['alice@example.com'] }, ['email']],
    [{ ...GOOD, email: { $gt: '' } }, ['email']],
    [{ ...GOOD, password: 1234 }, ['password']],
    [{ ...GOOD, password: '' }, ['password']],
    [{ ...GOOD, password: null }, ['password']],
    [{ ...GOOD, password: 'x'.repeat(1025) }, ['password']],
    [{ ...GOOD, rememberMe: 'yes' }, ['rememberMe']],
  ])('refuses %j and names the fields, not the values', async (body, fields) => {
    const error: unknown = await pipe.transform(body).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'invalid_request' });
    const { message } = error as Error;
    const named = ['email', 'password', 'rememberMe'].filter((field) => message.includes(`${field} must`));
    expect(named).toEqual(fields);
    for (const value of ['alice', '1234', 'xxx', '$gt', 'yes']) expect(message).not.toContain(value);
  });

  it('checks reauthentication by its own DTO', async () => {
    expect({ ...(await new DtoPipe(ReauthenticateDto).transform({ ...GOOD })) }).toEqual({ password: GOOD.password });
    await expect(new DtoPipe(ReauthenticateDto).transform({})).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it.each(['constructor', '__proto__', 'prototype', 'toJSON', 'then', 'valueOf'])(
    'is not led astray by a key %s',
    async (key) => {
      for (const value of ['null', '{}', '{"prototype":null}', '"x"', '[]', '0']) {
        const body: unknown = JSON.parse(`{ "email": 5, ${JSON.stringify(key)}: ${value} }`);
        await expect(pipe.transform(body)).rejects.toMatchObject({ code: 'invalid_request' });
        const good = JSON.parse(`{ ${JSON.stringify(key)}: ${value} }`) as object;
        const dto = await pipe.transform(Object.assign(good, GOOD));
        expect(dto).toBeInstanceOf(LoginDto);
        expect([dto.email, dto.password]).toEqual([GOOD.email, GOOD.password]);
      }
    },
  );

  it('answers a DTO or refuses with a code, whatever the body is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async (body) => {
        await expect(pipe.transform(body)).rejects.toMatchObject({ code: 'invalid_request' });
      }),
    );
  });
});
