import { Controller, Post } from '@nestjs/common';
import { CsrfProtected, RequireFullAuth } from 'nestjs-session-auth';

@Controller('payments')
export class PaymentsController {
  @Post()
  @RequireFullAuth()
  @CsrfProtected()
  pay(): object {
    return { status: 'paid' };
  }
}
