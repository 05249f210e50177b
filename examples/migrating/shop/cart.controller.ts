import { Body, Controller, Get, Post, UseGuards } from '@nestjs/common';
import { CsrfProtected, CurrentSession, CurrentUser, SessionAuthGuard, type Session } from 'nestjs-session-auth';
import type { User } from '../../quick-start/users.service.js';

interface Cart {
  cart: string[];
}

/** Step 3: guards, decorators and `session.update`. */
@UseGuards(SessionAuthGuard)
@Controller('cart')
export class CartController {
  @Get()
  read(@CurrentUser() { email }: User, @CurrentSession() { data }: Session<Cart>): object {
    return { user: email, items: data.cart ?? [] };
  }

  @CsrfProtected()
  @Post()
  async add(@CurrentSession() session: Session<Cart>, @Body('item') item: string): Promise<void> {
    await session.update({ cart: [...(session.data.cart ?? []), item] });
  }
}
