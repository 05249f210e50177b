import type { PipeTransform } from '@nestjs/common';
import { getMetadataStorage, validate } from 'class-validator';
import { SessionAuthError } from '../errors/session-auth.error.js';

/**
 * Checks a body against a DTO with class-validator, whatever pipes the application has. Keys that the DTO does not
 * declare are dropped.
 *
 * @throws SessionAuthError `invalid_request` (400), naming the fields and never their values
 */
export class DtoPipe<T extends object> implements PipeTransform<unknown, Promise<T>> {
  readonly #fields: readonly string[];

  constructor(private readonly Dto: new () => T) {
    const rules = getMetadataStorage().getTargetValidationMetadatas(Dto, '', false, false);
    this.#fields = [...new Set(rules.map((rule) => rule.propertyName))];
  }

  async transform(body: unknown): Promise<T> {
    if (typeof body !== 'object' || body === null || Array.isArray(body)) {
      throw new SessionAuthError('invalid_request', 'the body must be an object, sent as application/json');
    }
    // field by field: keys such as `constructor` and `__proto__` would have class-validator look for rules elsewhere
    const given = Object.entries(body).filter(([key]) => this.#fields.includes(key));
    const dto = Object.assign(new this.Dto(), Object.fromEntries(given));
    const errors = await validate(dto, {
      forbidUnknownValues: true,
      validationError: { target: false, value: false },
    });
    if (errors.length > 0) {
      const reasons = errors.flatMap(({ constraints }) => Object.values({ ...constraints }));
      throw new SessionAuthError('invalid_request', reasons.sort().join('; '));
    }
    return dto;
  }
}
