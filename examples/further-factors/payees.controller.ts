import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { CsrfProtected, RequireFactor, SessionAuthGuard } from 'nestjs-session-auth';

@Controller('payees')
@UseGuards(SessionAuthGuard)
@RequireFactor('totp')
export class PayeesController {
  /** Allowed in every session that has proved this factor at any time. */
  @Get()
  list(): object {
    return [];
  }

  /** One of the two factors must have been proved in the last ten minutes. */
  @Post()
  @RequireFactor(['totp', 'passkey'], '10m')
  @CsrfProtected()
  add(): object {
    return { status: 'added' };
  }
}
