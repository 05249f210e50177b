import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DtoPipe, isSet } from './dto.pipe.js';
import { loginRules } from './login.dto.js';
import { REAUTHENTICATE_RULES } from './reauthenticate.dto.js';

const pipe = new DtoPipe(loginRules('email'));
const reauthentication = new DtoPipe(REAUTHENTICATE_RULES);

function refusalOf(refused: DtoPipe<object>, body: unknown): unknown {
  try {
    return { answered: refused.transform(body) };
  } catch (error) {
    return error;
  }
}
const GOOD = { email: 'alice@example.com', password: 'alice-demo-password' };

describe('DtoPipe', () => {
  it('answers the fields that have rules, and drops the rest', () => {
    expect(pipe.transform(GOOD)).toEqual(GOOD);
    for (const rememberMe of [true, false, null]) {
      expect(pipe.transform({ ...GOOD, rememberMe })).toEqual({ ...GOOD, rememberMe });
    }
    const more = { ...GOOD, roles: ['admin'], userId: 'admin', toString: 'x', hasOwnProperty: 1 };
    expect(Object.entries(pipe.transform(more))).toEqual(Object.entries(GOOD));
  });

  it('takes for a flag what forms send', () => {
    const meaningOf = (rememberMe: unknown): boolean => isSet(pipe.transform({ ...GOOD, rememberMe }).rememberMe);
    for (const value of [true, 'on', '1', 'true']) expect([value, meaningOf(value)]).toEqual([value, true]);
    for (const value of [false, null, undefined]) expect([value, meaningOf(value)]).toEqual([value, false]);
    for (const value of ['off', '0', 'false', '', 'yes', 1]) {
      expect(refusalOf(pipe, { ...GOOD, rememberMe: value })).toMatchObject({ code: 'invalid_request' });
    }
  });

  it('has the login name in the field of its rules, and takes no other one', () => {
    const byName = new DtoPipe(loginRules('username'));
    const body = { username: 'alice', password: 'x' };
    expect(byName.transform({ ...body, email: 'bob@example.com' })).toEqual(body);
    expect(refusalOf(byName, { email: 'alice', password: 'x' })).toMatchObject({
      code: 'invalid_request',
      message: 'username must be a text of 1 to 254 characters',
    });
  });

  it('takes texts of any length up to the longest', () => {
    const longest = { email: 'x'.repeat(254), password: 'y'.repeat(1024) };
    for (const body of [longest, { email: 'x', password: 'y' }]) expect(pipe.transform(body)).toEqual(body);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'email=alice'],
    ['a list', [GOOD]],
    ['a number', 1],
  ])('refuses %s as a body', (_what, body) => {
    expect(refusalOf(pipe, body)).toMatchObject({ code: 'invalid_request', statusCode: 400 });
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
    [{ ...GOOD, rememberMe: 'ON' }, ['rememberMe']],
    [{ ...GOOD, rememberMe: 1 }, ['rememberMe']],
    [{ ...GOOD, rememberMe: ['on'] }, ['rememberMe']],
    [{ ...GOOD, rememberMe: ['0', '1'] }, ['rememberMe']],
  ])('refuses %j and names the fields, not the values', (body, fields) => {
    const error = refusalOf(pipe, body);
    expect(error).toMatchObject({ code: 'invalid_request' });
    const { message } = error as Error;
    const named = ['email', 'password', 'rememberMe'].filter((field) => message.includes(`${field} must`));
    expect(named).toEqual(fields);
    for (const value of ['alice', '1234', 'xxx', '$gt', 'yes']) expect(message).not.toContain(value);
  });

  it('checks reauthentication by its own rules', () => {
    expect(reauthentication.transform({ ...GOOD })).toEqual({ password: GOOD.password });
    expect(refusalOf(reauthentication, {})).toMatchObject({ code: 'invalid_request' });
  });

  it('takes nothing from the prototype of a body', () => {
    const body = JSON.parse('{ "__proto__": { "email": "alice@example.com", "password": "x" } }') as object;
    expect(refusalOf(pipe, body)).toMatchObject({ code: 'invalid_request' });
    expect(refusalOf(pipe, Object.create(GOOD))).toMatchObject({ code: 'invalid_request' });
  });

  it.each(['constructor', '__proto__', 'prototype', 'toJSON', 'then', 'valueOf'])(
    'is not led astray by a key %s',
    (key) => {
      for (const value of ['null', '{}', '{"prototype":null}', '"x"', '[]', '0']) {
        const body: unknown = JSON.parse(`{ "email": 5, ${JSON.stringify(key)}: ${value} }`);
        expect(refusalOf(pipe, body)).toMatchObject({ code: 'invalid_request' });
        const good = JSON.parse(`{ ${JSON.stringify(key)}: ${value} }`) as object;
        expect(pipe.transform(Object.assign(good, GOOD))).toEqual(GOOD);
      }
    },
  );

  it('answers a DTO or refuses with a code, whatever the body is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(refusalOf(pipe, body)).toMatchObject({ code: 'invalid_request' });
      }),
    );
  });
});
