import { ApiProperty } from '@nestjs/swagger';
import { IsNumber, IsOptional, IsString, Length, Max, Min } from 'class-validator';

/** The body of `POST /api/transfer`. */
export class TransferDto {
  /** Whom the money goes to. */
  @IsString()
  @Length(1, 254)
  @ApiProperty({ maxLength: 254, example: 'bob' })
  to!: string;

  /** In whole or broken units, from a hundredth to a million. */
  @IsNumber({ maxDecimalPlaces: 2 })
  @Min(0.01)
  @Max(1_000_000)
  @ApiProperty({ minimum: 0.01, maximum: 1_000_000, example: 25 })
  amount!: number;

  /** A text of the client's own: transfers with the same one are one transfer. */
  @IsOptional()
  @IsString()
  @Length(1, 64)
  @ApiProperty({ required: false, maxLength: 64 })
  formId?: string;
}
