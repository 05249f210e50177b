import { promisify } from 'node:util';
import { Body, Controller, Get, Post, Redirect, Req, UseGuards } from '@nestjs/common';
import type { Request } from 'express';
import { LocalGuard } from './local.strategy.js';
import { LoggedInGuard } from './logged-in.guard.js';

interface ShopRequest extends Omit<Request, 'session'> {
  readonly session: { cart?: string[] };
}

/** The shop as it was: `req.session`, `req.user`, `req.logIn`, `req.flash`. */
@Controller()
export class ShopController {
  @Get('login')
  form(@Req() request: ShopRequest): object {
    return { messages: request.flash('error') };
  }

  @UseGuards(LocalGuard)
  @Post('login')
  @Redirect()
  async login(@Req() request: ShopRequest): Promise<{ url: string }> {
    const { user } = request;
    if (!user) return { url: '/login' };
    await promisify((done: (error?: unknown) => void) => request.logIn(user, done))();
    return { url: '/cart' };
  }

  @UseGuards(LoggedInGuard)
  @Get('cart')
  cart(@Req() request: ShopRequest): object {
    return { user: (request.user as { email: string }).email, items: request.session.cart ?? [] };
  }

  @UseGuards(LoggedInGuard)
  @Post('cart')
  add(@Req() { session }: ShopRequest, @Body('item') item: string): void {
    session.cart = [...(session.cart ?? []), item];
  }

  @Post('logout')
  @Redirect('/login')
  async logout(@Req() request: ShopRequest): Promise<void> {
    await promisify((done: (error?: unknown) => void) => request.logout(done))();
  }
}
