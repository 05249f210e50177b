import { applyDecorators, Controller, UseFilters, UseInterceptors } from '@nestjs/common';
import { PageErrorsFilter } from './page-errors.filter.js';
import { PageInterceptor } from './page.interceptor.js';

/** A controller whose handlers answer pages: see `PageAnswer`. */
export function PageController(path = '/'): ClassDecorator {
  return applyDecorators(Controller(path), UseInterceptors(PageInterceptor), UseFilters(PageErrorsFilter));
}
