import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { SessionAuthController, sessionAuthControllerAt } from '../endpoints/session-auth.controller.js';
import { makeAnswerModels } from './answer-models.js';
import { documentEndpoints } from './document-endpoints.js';
import { describeEndpoints } from './endpoint-descriptions.js';

const options = { realm: 'default', csrfHeader: 'x-csrf-token' };
const failure = (code: string, message: string): Error => Object.assign(new Error(message), { code });

describe('the descriptions', () => {
  it('leave out no handler of the controller, and describe nothing else', async () => {
    const swagger = await import('@nestjs/swagger');
    const described = Object.keys(describeEndpoints(swagger, makeAnswerModels(swagger)));
    const handlers = Object.getOwnPropertyNames(SessionAuthController.prototype).filter(
      (name) => name !== 'constructor',
    );
    expect(described.sort()).toEqual(handlers.sort());
  });
});

describe('documentEndpoints', () => {
  const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  afterEach(() => void warn.mockClear());

  it.each([
    failure('ERR_MODULE_NOT_FOUND', `Cannot find package '@nestjs/swagger' imported from /app/index.js`),
    failure('MODULE_NOT_FOUND', `Cannot find module '@nestjs/swagger' from 'index.js'`),
  ])('does nothing without the package: %s', async (error) => {
    const controller = sessionAuthControllerAt({ path: 'auth', except: [] }, 'default', []);
    await documentEndpoints(controller, options, () => Promise.reject(error));
    expect(Reflect.getMetadataKeys(controller).filter((key) => String(key).startsWith('swagger'))).toEqual([]);
    expect(warn).not.toHaveBeenCalled();
  });

  it.each([
    failure('ERR_MODULE_NOT_FOUND', `Cannot find package 'js-yaml' imported from /app/@nestjs/swagger/index.js`),
    failure('ERR_REQUIRE_ESM', 'require() of ES Module not supported'),
  ])('boots all the same, with a warning, where the package is broken: %s', async (error) => {
    await documentEndpoints(sessionAuthControllerAt({ path: 'auth', except: [] }, 'default', []), options, () =>
      Promise.reject(error),
    );
    expect(warn).toHaveBeenCalledWith(expect.stringContaining(error.message));
  });
});
