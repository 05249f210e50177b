import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { CsrfGuard } from './csrf/csrf.guard.js';
import { EmbeddingGuard } from './csrf/embedding.guard.js';
import { FactorGuard } from './guards/factor.guard.js';
import { FullAuthGuard } from './guards/full-auth.guard.js';
import { RecentAuthGuard } from './guards/recent-auth.guard.js';
import { RolesGuard } from './guards/roles.guard.js';
import { SessionAuthGuard, SessionBindingGuard } from './guards/session-auth.guard.js';
import { RealmRegistry } from './http/realm-registry.js';
import { SessionAuthErrorFilter } from './http/session-auth-error.filter.js';
import { RouteRealms } from './route-realms.js';

/** What all realms share: they find the realm of a route, or of an error, by themselves. */
const SHARED = [
  RealmRegistry,
  CsrfGuard,
  EmbeddingGuard,
  FactorGuard,
  FullAuthGuard,
  RecentAuthGuard,
  RolesGuard,
  SessionAuthGuard,
];

/** There is one of it in an application, whatever the number of realms: each of their modules imports it. */
@Global()
@Module({
  providers: [
    ...SHARED,
    RouteRealms,
    { provide: APP_FILTER, useClass: SessionAuthErrorFilter },
    { provide: APP_GUARD, useClass: SessionBindingGuard },
  ],
  exports: SHARED,
})
export class SessionAuthCoreModule {}
