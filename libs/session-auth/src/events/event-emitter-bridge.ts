import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { SessionEventPublisher } from './event-publisher.js';

/** The part of `EventEmitter2` that is used. */
interface Emitter {
  emitAsync(event: string, ...values: unknown[]): Promise<unknown[]>;
}

/**
 * Passes every event to the application's `EventEmitter2` if it imports `EventEmitterModule` of
 * `@nestjs/event-emitter`: `@OnEvent('session.created')`, and `@OnEvent('session.*')` with `wildcard: true`.
 *
 * The package is optional, so the emitter is looked up among that module's providers instead of being imported. The
 * publisher logs a listener that throws or rejects.
 */
@Injectable()
export class EventEmitterBridge implements OnModuleInit {
  constructor(
    private readonly modules: ModulesContainer,
    private readonly events: SessionEventPublisher,
  ) {}

  onModuleInit(): void {
    const emitter = this.#findEmitter();
    if (emitter === undefined) return;
    // the publisher awaits it to catch failures; no request does
    this.events.subscribe(async (event) => void (await emitter.emitAsync(event.type, event)));
  }

  #findEmitter(): Emitter | undefined {
    for (const { metatype, providers } of this.modules.values()) {
      if (metatype?.name !== 'EventEmitterModule') continue;
      for (const { instance } of providers.values()) {
        if (typeof (instance as Partial<Emitter> | null)?.emitAsync === 'function') return instance as Emitter;
      }
    }
    return undefined;
  }
}
