import { promisify } from 'node:util';
import { Controller, Get, Injectable, Post, Redirect, Req, UseGuards, type ExecutionContext } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { CsrfProtected, SessionAuthGuard } from 'nestjs-session-auth';

/** Leaves a message for the login page, instead of 401. */
@Injectable()
class LocalGuard extends AuthGuard('local') {
  override handleRequest<User>(error: unknown, user: User, _info: unknown, context: ExecutionContext): User {
    if (error) throw error as Error;
    if (!user) context.switchToHttp().getRequest<Request>().flash('error', 'Wrong e-mail or password');
    return user;
  }
}

@Controller()
export class SignInController {
  @Get('login')
  form(@Req() request: Request): object {
    return { messages: request.flash('error') };
  }

  @CsrfProtected()
  @UseGuards(LocalGuard)
  @Post('login')
  @Redirect()
  async login(@Req() request: Request): Promise<{ url: string }> {
    if (!request.user) return { url: '/login' };
    await logIn(request);
    return { url: '/me' };
  }

  @UseGuards(AuthGuard('provider'))
  @Get('login/provider')
  leave(): void {
    // the guard leads to the provider
  }

  @UseGuards(AuthGuard('provider'))
  @Get('login/callback')
  @Redirect('/me')
  async comeBack(@Req() request: Request): Promise<void> {
    await logIn(request);
  }

  @UseGuards(SessionAuthGuard)
  @Get('me')
  me(@Req() request: Request): object {
    const { id, email } = request.user as { id: string; email: string };
    return { id, email };
  }

  @CsrfProtected()
  @Post('logout')
  @Redirect('/login')
  async logout(@Req() request: Request): Promise<void> {
    await promisify((done: (error?: unknown) => void) => request.logout(done))();
    request.flash('error', 'Signed out');
  }
}

/** A session of this library, under its limit, with a new token, and an event. */
function logIn(request: Request): Promise<void> {
  return promisify((done: (error?: unknown) => void) => request.logIn(request.user!, done))();
}
