import { Controller, Get, Post, Redirect, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { CsrfProtected } from 'nestjs-session-auth';
import { LocalGuard } from './local.guard.js';
import { logIn } from './log-in.js';

@Controller('login')
export class LoginController {
  @Get()
  form(@Req() request: Request): object {
    return { messages: request.flash('error') };
  }

  @CsrfProtected()
  @UseGuards(LocalGuard)
  @Post()
  @Redirect()
  async login(@Req() request: Request): Promise<{ url: string }> {
    if (!request.user) return { url: '/login' };
    await logIn(request);
    return { url: '/me' };
  }
}
