import { Module, type DynamicModule } from '@nestjs/common';
import type { PasswordHasher } from './passwords/password-hasher.js';
import type { ProviderSlot } from './options/provider-slot.js';
import { ConfigurableModuleClass, type ASYNC_OPTIONS_TYPE } from './session-auth.module-definition.js';

/**
 * Server-side sessions for a Nest application, imported once, usable everywhere.
 *
 * `forRoot(options)` and `forRootAsync({ useFactory | useClass | useExisting, inject, imports, storage, users,
 * passwords, endpoints, global })`. The booting of the application fails with an error that names the option when one is
 * missing, unknown or contradictory.
 */
@Module({})
export class SessionAuthModule extends ConfigurableModuleClass {
  /** `passwords` takes a provider here; bcrypt's cost belongs in what the factory answers. */
  static override forRootAsync(
    options: typeof ASYNC_OPTIONS_TYPE & { readonly passwords?: ProviderSlot<PasswordHasher> },
  ): DynamicModule {
    return super.forRootAsync(options);
  }
}
