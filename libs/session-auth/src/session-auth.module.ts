import { Module, type DynamicModule } from '@nestjs/common';
import type { PasswordHasher } from './passwords/password-hasher.js';
import type { ProviderSlot } from './options/provider-slot.js';
import { ConfigurableModuleClass, type ASYNC_OPTIONS_TYPE } from './session-auth.module-definition.js';

/**
 * Server-side sessions for a Nest application. Import it once; its providers are usable everywhere.
 *
 * Use `forRoot(options)`, or `forRootAsync` with `useFactory`, `useClass` or `useExisting`; `inject`, `imports`,
 * `storage`, `users`, `passwords`, `endpoints` and `global` stand beside the factory. The application does not start if
 * an option is missing, unknown or contradictory; the error names the option.
 */
@Module({})
export class SessionAuthModule extends ConfigurableModuleClass {
  /** `passwords` takes a provider here; set bcrypt's cost in the result of the factory. */
  static override forRootAsync(
    options: typeof ASYNC_OPTIONS_TYPE & { readonly passwords?: ProviderSlot<PasswordHasher> },
  ): DynamicModule {
    return super.forRootAsync(options);
  }
}
