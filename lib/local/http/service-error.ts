/** Errors as the service answers them. */

/** An error that the caller gets, by its modelled name and HTTP status. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /** Such as `ResourceNotFoundException`. */
  readonly type: string;
  readonly status: number;

  constructor(type: string, status: number, message: string) {
    super(message);
    this.type = type;
    this.status = status;
  }
}

export const invalidArgument = (message: string): ServiceError =>
  new ServiceError('InvalidArgumentException', 400, message);

export const resourceNotFound = (message: string): ServiceError =>
  new ServiceError('ResourceNotFoundException', 404, message);

export const resourceInUse = (message: string): ServiceError =>
  new ServiceError('ResourceInUseException', 400, message);

export const versionMismatch = (message: string): ServiceError =>
  new ServiceError('VersionMismatchException', 400, message);

export const noDataRetention = (message: string): ServiceError =>
  new ServiceError('NoDataRetentionException', 400, message);

export const tagLimit = (message: string): ServiceError =>
  new ServiceError('TagsPerResourceExceededLimitException', 400, message);

export const clientLimit = (message: string): ServiceError =>
  new ServiceError('ClientLimitExceededException', 400, message);

export const connectionLimit = (message: string): ServiceError =>
  new ServiceError('ConnectionLimitExceededException', 400, message);

/** The server is about to stop. */
export const serviceUnavailable = (): ServiceError =>
  new ServiceError('ServiceUnavailableException', 503, 'The server stops.');
