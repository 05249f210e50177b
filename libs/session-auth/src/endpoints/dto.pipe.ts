import type { PipeTransform } from '@nestjs/common';
import { validate } from 'class-validator';
import { SessionAuthError } from '../errors/session-auth.error.js';

/**
 * Checks a body against a DTO with class-validator, whatever pipes the application has. Keys that the DTO does not
 * declare are dropped.
 *
 * @throws SessionAuthError `invalid_request` (400), naming the fields and never their values
 */
export class DtoPipe<T extends object> implements PipeTransform<unknown, Promise<T>> {
  constructor(private readonly Dto: new () => T) {}

  async transform(body: unknown): Promise<T> {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new SessionAuthError('invalid_request', 'the body must be an object, sent as application/json');
    }
    const dto = Object.assign(new this.Dto(), body);
    const errors = await validate(dto, {
      whitelist: true,
      forbidUnknownValues: true,
      validationError: { target: false, value: false },
    });
    if (errors.length > 0) {
      const reasons = errors.flatMap((error) =>
        Object.values(error.constraints ?? { [error.property]: `${error.property} is invalid` }),
      );
      throw new SessionAuthError('invalid_request', reasons.sort().join('; '));
    }
    return dto;
  }
}
