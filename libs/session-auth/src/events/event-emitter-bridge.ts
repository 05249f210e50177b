import { Injectable, type OnModuleInit } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { SessionEventPublisher } from './event-publisher.js';

/** What is used of `EventEmitter2`. */
interface Emitter {
  emitAsync(event: string, ...values: unknown[]): Promise<unknown[]>;
}

/**
 * Hands every event on to the application's `EventEmitter2`, where `EventEmitterModule` of `@nestjs/event-emitter` is
 * imported: `@OnEvent('session.created')`, and `@OnEvent('session.*')` with `wildcard: true`.
 *
 * The package is optional, so the emitter is looked up among the providers of that module instead of being
 * imported. A listener that throws or rejects is reported by the publisher like any other.
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
    // awaited by the publisher's own guard against failures, by no request
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
