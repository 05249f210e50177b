import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { CsrfProtected, RequireFactor, SessionAuthGuard } from 'nestjs-session-auth';

@Controller('payees')
@UseGuards(SessionAuthGuard)
@RequireFactor('totp')
export class PayeesController {
  /** In every session that has proved it, however long ago. */
  @Get()
  list(): object {
    return [];
  }

  /** Proved within ten minutes, one or the other. */
  @Post()
  @RequireFactor(['totp', 'passkey'], '10m')
  @CsrfProtected()
  add(): object {
    return { status: 'added' };
  }
}
