import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

/** The answer to `GET /api/me`. */
export class Me {
  @ApiPropertyOptional()
  userId?: string;
  @ApiPropertyOptional()
  email?: string;
  @ApiProperty({ type: [String] })
  roles!: readonly string[];
}

/** The answer to `POST /api/transfer`. */
export class TransferAnswer {
  @ApiProperty({ enum: ['success'] })
  status!: string;
}

/** How many sessions a change has ended. */
export class RevokedSessions {
  @ApiProperty({ type: 'integer' })
  revokedSessions!: number;
}

/** How many sessions a change has reached. */
export class ChangedSessions {
  @ApiProperty({ type: 'integer' })
  sessions!: number;
}

/** One of the answer to `GET /api/admin/sessions`. */
export class SessionOfUser {
  @ApiProperty()
  id!: string;
  @ApiProperty()
  realm!: string;
  @ApiPropertyOptional()
  userId?: string;
  @ApiPropertyOptional()
  email?: string;
  @ApiProperty({ type: [String] })
  roles!: readonly string[];
  @ApiProperty({ format: 'date-time' })
  createdAt!: string;
  @ApiPropertyOptional({ format: 'date-time' })
  authenticatedAt?: string;
  @ApiPropertyOptional({ enum: ['password', 'remember-me', 'custom'] })
  authentication?: string;
  @ApiProperty({ type: 'object', additionalProperties: { type: 'string', format: 'date-time' } })
  factors!: Record<string, string>;
  @ApiProperty({ format: 'date-time' })
  lastActivityAt!: string;
  @ApiProperty({ format: 'date-time' })
  expiresAt!: string;
  @ApiProperty({ format: 'date-time' })
  absoluteExpiresAt!: string;
  @ApiPropertyOptional()
  ip?: string;
  @ApiPropertyOptional()
  userAgent?: string;
}
