import { Module } from '@nestjs/common';
import { ConfigurableModuleClass } from './session-auth.module-definition.js';

/**
 * Server-side sessions for a Nest application, imported once, usable everywhere.
 *
 * `forRoot(options)` and `forRootAsync({ useFactory | useClass | useExisting, inject, imports, storage, users,
 * endpoints, global })`. The booting of the application fails with an error that names the option when one is
 * missing, unknown or contradictory.
 */
@Module({})
export class SessionAuthModule extends ConfigurableModuleClass {}
