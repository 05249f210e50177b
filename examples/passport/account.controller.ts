import { promisify } from 'node:util';
import { Controller, Get, Post, Redirect, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { CsrfProtected, SessionAuthGuard } from 'nestjs-session-auth';

@Controller()
export class AccountController {
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
