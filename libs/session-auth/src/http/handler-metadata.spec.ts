import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { SetMetadata, type ExecutionContext } from '@nestjs/common';
import 'reflect-metadata';
import { HandlerMetadata } from './handler-metadata.js';

const KEY = 'test:key';
const Mark = (value: unknown): MethodDecorator & ClassDecorator => SetMetadata(KEY, value);

@Mark('class')
class Marked {
  @Mark('method')
  own(): void {}

  @Mark(false)
  off(): void {}

  plain(): void {}
}

class Plain {
  @Mark('method')
  own(): void {}

  plain(): void {}
}

class Heir extends Marked {}

type Controller = new () => { own(): void; plain(): void };

function contextOf(controller: Controller, handler: string): ExecutionContext {
  const method = (controller.prototype as Record<string, () => void>)[handler];
  return { getClass: () => controller, getHandler: () => method } as unknown as ExecutionContext;
}

describe('HandlerMetadata', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it.each<[unknown, Controller, string]>([
    ['method', Marked, 'own'],
    [false, Marked, 'off'],
    ['class', Marked, 'plain'],
    ['method', Plain, 'own'],
    [undefined, Plain, 'plain'],
    ['class', Heir, 'plain'],
    ['method', Heir, 'own'],
  ])('is %p for %p.%s', (expected, controller, handler) => {
    const metadata = new HandlerMetadata<unknown>(KEY);
    expect(metadata.of(contextOf(controller, handler))).toBe(expected);
    expect(metadata.of(contextOf(controller, handler))).toBe(expected);
  });

  it('tells apart controllers that share an inherited handler', () => {
    @Mark('other')
    class Other extends Plain {}
    const metadata = new HandlerMetadata<unknown>(KEY);
    expect(metadata.of(contextOf(Plain, 'plain'))).toBeUndefined();
    expect(metadata.of(contextOf(Other, 'plain'))).toBe('other');
    expect(metadata.of(contextOf(Plain, 'plain'))).toBeUndefined();
  });

  it('reads a handler once', () => {
    const read = jest.spyOn(Reflect, 'getMetadata');
    const metadata = new HandlerMetadata<unknown>(KEY);
    for (let request = 0; request < 3; request += 1) metadata.of(contextOf(Plain, 'plain'));
    expect(read).toHaveBeenCalledTimes(2);
  });
});
