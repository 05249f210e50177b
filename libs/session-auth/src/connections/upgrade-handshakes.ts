import { Injectable } from '@nestjs/common';
import { HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import type { EventEmitter } from 'node:events';
import { SessionAuthError } from '../errors/session-auth.error.js';
import { messageIn } from '../http/connection.js';
import { RealmRegistry } from '../http/realm-registry.js';
import { hookOptionsOf, type ConnectionHook } from './connection-hook.js';
import { Handshake } from './handshake.js';

/** Where Nest keeps the options of a GraphQLModule, in the module itself. */
const GRAPHQL_OPTIONS = 'GqlModuleOptions';

/** The options of a GraphQLModule that may hold hooks of this library. */
interface GraphqlModuleOptions {
  readonly subscriptions?: { readonly 'graphql-ws'?: { readonly onConnect?: unknown } };
  readonly subscription?: { readonly context?: unknown };
}

/** By the request that asked for an upgrade. */
const APPLICATIONS = new WeakMap<object, UpgradeHandshakes>();

/**
 * The handshakes of hooks that other libraries call. Their options are often written before the application exists, so
 * the upgrade request identifies its application.
 */
@Injectable()
export class UpgradeHandshakes {
  readonly #handshakes = new WeakMap<ConnectionHook, Handshake>();

  constructor(
    private readonly host: HttpAdapterHost,
    private readonly modules: ModulesContainer,
    private readonly realms: RealmRegistry,
  ) {}

  /**
   * Makes the handshakes of the hooks in the application's GraphQLModules, and records its upgrade requests from now
   * on.
   *
   * @throws SessionAuthError `invalid_configuration`
   */
  prepare(): void {
    for (const hook of this.#hooks()) if (hookOptionsOf(hook) !== undefined) this.of(hook as ConnectionHook);
    const server = this.host.httpAdapter?.getHttpServer() as EventEmitter | undefined;
    if (server === undefined) return;
    const note = (request: object): void => void APPLICATIONS.set(request, this);
    const isAwaited = server.listenerCount('upgrade') > 0;
    if (isAwaited) server.prependListener('upgrade', note);
    else beforeOthers(server, note);
  }

  /** Makes the handshake of a hook that was not found at boot on its first call. */
  of(hook: ConnectionHook): Handshake {
    const known = this.#handshakes.get(hook);
    if (known !== undefined) return known;
    const { owner, options } = hookOptionsOf(hook)!;
    const handshake = new Handshake(owner, options, this.realms, this.host.httpAdapter);
    this.#handshakes.set(hook, handshake);
    return handshake;
  }

  #hooks(): unknown[] {
    return [...this.modules.values()].flatMap(({ providers }) => {
      const { subscriptions, subscription } = (providers.get(GRAPHQL_OPTIONS)?.instance ?? {}) as GraphqlModuleOptions;
      return [subscriptions?.['graphql-ws']?.onConnect, subscription?.context];
    });
  }
}

/**
 * Returns the handshakes of the application that received an upgrade request.
 *
 * @throws SessionAuthError `not_configured`
 */
export function handshakesFor(request: object): UpgradeHandshakes {
  const handshakes = APPLICATIONS.get(messageIn(request));
  if (handshakes !== undefined) return handshakes;
  throw new SessionAuthError(
    'not_configured',
    'the server of this connection belongs to no initialised application that imports SessionAuthModule',
  );
}

/**
 * Adds a listener for upgrades in front of all others, once another listener exists. Without any listener, Node treats
 * an upgrade request as an ordinary request.
 */
function beforeOthers(server: EventEmitter, listener: (request: object) => void): void {
  server.on('newListener', function onNew(event) {
    if (event !== 'upgrade') return;
    server.off('newListener', onNew);
    server.prependListener('upgrade', listener);
  });
}
