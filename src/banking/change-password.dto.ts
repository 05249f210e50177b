import { ApiProperty } from '@nestjs/swagger';
import { IsString, MaxLength, MinLength } from 'class-validator';

/** The body of `POST /api/settings/password`. */
export class ChangePasswordDto {
  @IsString()
  @MinLength(1)
  @MaxLength(1024)
  @ApiProperty({ format: 'password' })
  currentPassword!: string;

  /** At most 72 bytes in UTF-8, which is bcrypt's limit. */
  @IsString()
  @MinLength(8)
  @MaxLength(72)
  @ApiProperty({ format: 'password', minLength: 8, maxLength: 72 })
  newPassword!: string;
}
