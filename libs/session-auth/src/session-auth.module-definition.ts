import { ConfigurableModuleBuilder } from '@nestjs/common';
import type { SessionAuthExtras, SessionAuthOptions } from './session-auth.options.js';
import { withSessionAuthParts } from './session-auth.parts.js';
import { SESSION_AUTH_OPTIONS } from './session-auth.providers.js';

// the keys named here are kept out of the options that a factory may answer
const EXTRAS: SessionAuthExtras = {
  imports: undefined,
  storage: undefined,
  users: undefined,
  notifier: undefined,
  endpoints: undefined,
  global: undefined,
};

export const { ConfigurableModuleClass, ASYNC_OPTIONS_TYPE } = new ConfigurableModuleBuilder<SessionAuthOptions>({
  optionsInjectionToken: SESSION_AUTH_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createSessionAuthOptions')
  .setExtras(EXTRAS, withSessionAuthParts)
  .build();
