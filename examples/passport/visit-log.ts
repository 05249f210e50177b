import type { NextFunction, Request, Response } from 'express';

/** Middleware that knows nothing but passport. */
export function visitLog(request: Request, response: Response, next: NextFunction): void {
  response.setHeader('x-visitor', request.isAuthenticated() ? (request.user as { id: string }).id : 'nobody');
  next();
}
