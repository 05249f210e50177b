import { Global, Module, type NestModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { loadTransportExceptions } from './channels/transport-exceptions.js';
import { UpgradeHandshakes } from './connections/upgrade-handshakes.js';
import { CsrfGuard } from './csrf/csrf.guard.js';
import { EmbeddingGuard } from './csrf/embedding.guard.js';
import { EndpointRoutes } from './endpoints/endpoint-routes.js';
import { FactorGuard } from './guards/factor.guard.js';
import { FullAuthGuard } from './guards/full-auth.guard.js';
import { RecentAuthGuard } from './guards/recent-auth.guard.js';
import { RolesGuard } from './guards/roles.guard.js';
import { SessionAuthGuard, SessionBindingGuard } from './guards/session-auth.guard.js';
import { RealmRegistry } from './http/realm-registry.js';
import { SessionAuthErrorFilter } from './http/session-auth-error.filter.js';
import { MappedRoutes } from './http/mapped-routes.js';
import { RouteRealms } from './boot/route-realms.js';
import { StreamHandlers } from './streams/stream-handlers.js';

/** The providers that all realms share: they find the realm of a route, or of an error, by themselves. */
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

/** One instance in an application, for all realms: each of their modules imports it. */
@Global()
@Module({
  providers: [
    ...SHARED,
    MappedRoutes,
    RouteRealms,
    EndpointRoutes,
    UpgradeHandshakes,
    StreamHandlers,
    { provide: Symbol('nestjs-session-auth exceptions of transports'), useFactory: loadTransportExceptions },
    { provide: APP_FILTER, useClass: SessionAuthErrorFilter },
    { provide: APP_GUARD, useClass: SessionBindingGuard },
  ],
  exports: SHARED,
})
export class SessionAuthCoreModule implements NestModule {
  constructor(
    private readonly mapped: MappedRoutes,
    private readonly realms: RouteRealms,
    private readonly endpoints: EndpointRoutes,
    private readonly upgrades: UpgradeHandshakes,
    private readonly streams: StreamHandlers,
  ) {}

  /**
   * Nest calls it when prefix and versions are set and no route is mapped yet: Fastify itself refuses the second of two
   * routes.
   */
  configure(): void {
    const routes = this.mapped.all();
    for (const route of routes) this.realms.check(route);
    this.endpoints.check(routes);
    this.upgrades.prepare();
    this.streams.prepare(routes);
  }
}
