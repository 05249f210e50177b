import { Module, type Provider } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { CsrfService, realmToken, SessionAuthService, SessionEventPublisher } from 'nestjs-session-auth';
import { LastSession } from '../pages/last-session.js';
import { PageWriter } from '../pages/page-writer.js';
import { SITE } from '../pages/site.js';
import { BankUsersModule } from '../users/bank-users.module.js';
import { CustomersService } from './customers.service.js';
import { OfficeApiController } from './office-api.controller.js';
import { OFFICE } from './office-realm.js';
import { OfficeController } from './office.controller.js';
import { OFFICE_SITE } from './office.site.js';

/** What writes pages, with the services of the office's realm. */
const PAGES: readonly Provider[] = [
  { provide: SITE, useValue: OFFICE_SITE },
  {
    provide: LastSession,
    inject: [realmToken(OFFICE, SessionEventPublisher), HttpAdapterHost, SITE],
    useFactory: (...parts: ConstructorParameters<typeof LastSession>) => new LastSession(...parts),
  },
  {
    provide: PageWriter,
    inject: [
      HttpAdapterHost,
      realmToken(OFFICE, SessionAuthService),
      realmToken(OFFICE, CsrfService),
      LastSession,
      SITE,
    ],
    useFactory: (...parts: ConstructorParameters<typeof PageWriter>) => new PageWriter(...parts),
  },
];

/** The back office: what the bank's staff see, in a realm of its own. */
@Module({
  imports: [BankUsersModule],
  controllers: [OfficeController, OfficeApiController],
  providers: [...PAGES, CustomersService],
})
export class OfficeModule {}
