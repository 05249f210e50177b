import { Controller, Get, Redirect, Req, UseGuards } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { Request } from 'express';
import { logIn } from './log-in.js';

@Controller('login')
@UseGuards(AuthGuard('provider'))
export class ProviderController {
  @Get('provider')
  leave(): void {
    // the guard leads to the provider
  }

  @Get('callback')
  @Redirect('/me')
  async comeBack(@Req() request: Request): Promise<void> {
    await logIn(request);
  }
}
